//! Texts of dashboards. Pure.

super::texts! {
    /// Dashboards and their panels.
    Dashboards {
        title: "Tableros", "Dashboards";
        none: "Ningún plan tiene tableros todavía", "No plan has dashboards yet";
        none_help: "Escriba uno en dashboards/mi-tablero.yaml de su plan, o traiga los de Grafana: farero import grafana tablero.json", "Write one in your plan's dashboards/my-dashboard.yaml, or bring those of Grafana: farero import grafana dashboard.json";
        panels: "paneles", "panels";
        panels_heading: "Paneles", "Panels";
        panels_one: "panel", "panel";
        range: "Periodo", "Range";
        own_range: "Otro periodo", "Another range";
        from: "Desde", "From";
        to: "Hasta", "To";
        apply: "Aplicar", "Apply";
        all: "Todos", "All";
        chosen: "elegidos", "chosen";
        nothing_chosen: "Ninguno", "None";
        more_values: "Hay más valores de los que caben en la lista", "There are more values than fit into the list";
        refresh: "Refresco", "Refresh";
        never: "Nunca", "Never";
        kiosk: "Pantalla completa", "Full screen";
        kiosk_leave: "Salir de pantalla completa", "Leave full screen";
        back: "Volver al tablero", "Back to the dashboard";
        updated: "Actualizado", "Updated";
        earlier: "Retroceder medio periodo", "Half a range back";
        later: "Avanzar medio periodo", "Half a range ahead";
        wider: "Alejar", "Zoom out";
        menu: "Más de este panel", "More of this panel";
        view: "Ver solo este panel", "View this panel alone";
        explore: "Explorar la consulta", "Explore the query";
        loading: "Cargando…", "Loading…";
        slow: "Este panel tarda más de lo normal; llegará solo.", "This panel takes longer than usual; it will come by itself.";
        timed_out: "La consulta tarda demasiado y se detuvo. Acorte el periodo o haga la consulta más estrecha.", "The query takes too long and was stopped. Shorten the range or make the query narrower.";
        no_data: "Sin datos", "No data";
        no_buckets: "Esta consulta no da histogramas: para un mapa de calor hacen falta series con la etiqueta le, o histogramas nativos.", "This query gives no histograms: a heat map needs series with the label le, or native histograms.";
        value: "Valor", "Value";
        yes: "Sí", "Yes";
        no: "No", "No";
        marks: "Marcas en este periodo", "Marks in this range";
        marks_none: "Nada ocurrió en este periodo.", "Nothing happened in this range.";
        marks_hide: "Ocultar las marcas", "Hide the marks";
        marks_show: "Mostrar las marcas", "Show the marks";
        marks_failed: "Estas marcas no se pudieron pedir:", "These marks could not be asked for:";
        reload_failed: "No se pudo actualizar", "Could not be updated";
    }
}

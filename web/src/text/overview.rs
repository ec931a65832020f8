//! Texts of the overview. Pure.

super::texts! {
    /// The overview of all systems and of one.
    Overview {
        title: "Resumen", "Overview";
        working: "Todo funciona", "Everything works";
        impaired: "Funciona, con problemas", "Works, with trouble";
        broken: "Hay caídas", "Something is down";
        unknown: "Aún sin datos", "No data yet";
        uptime: "Disponibilidad", "Uptime";
        uptime_30: "en 30 días", "over 30 days";
        uptime_1: "en 24 h", "over 24 h";
        data_age: "Último dato", "Last data";
        services: "Servicios", "Services";
        service: "Servicio", "Service";
        response: "Respuesta", "Response";
        connections: "conexiones", "connections";
        last_results: "Últimos resultados", "Last results";
        checked: "Comprobado", "Checked";
        third_party: "De terceros", "Third party";
        third_party_help: "Lo llevan otros: sus caídas no cuentan para la disponibilidad del sistema", "Run by others: its downtime does not count against the system's uptime";
        resources: "Recursos", "Resources";
        cpu: "CPU", "CPU";
        memory: "RAM", "RAM";
        disk: "Disco", "Disk";
        today: "Hoy", "Today";
        today_since: "desde medianoche", "since midnight";
        firing: "Alertas activas", "Active alerts";
        firing_none: "Ninguna alerta activa", "No active alerts";
        explained_by: "Se explica por", "Explained by";
        intensive: "Vigilancia intensiva", "Intensive watch";
        intensive_until: "hasta", "until";
        stale: "Hace rato que no llegan datos", "No data have come for a while";
        no_checks: "Este plan todavía no tiene comprobaciones activas", "This plan has no active checks yet";
        no_checks_help: "Añada check: a un servicio en su plan.yaml y guarde: Farero recarga el plan solo.", "Add check: to a service in its plan.yaml and save: Farero reloads the plan by itself.";
        no_systems: "Farero aún no vigila ningún sistema", "Farero watches no system yet";
        no_systems_help: "Arránquelo con la carpeta de un plan: farero run planes/mi-sistema", "Start it with a plan's folder: farero run plans/my-system";
        no_hosts: "Ningún host medido todavía", "No host measured yet";
        open_system: "Ver el sistema", "Open the system";
        checks: "comprobaciones", "checks";
        checks_one: "comprobación", "check";
        waiting: "aún no", "not yet";
        inactive: "Inactivo por ahora", "Inactive for now";
    }
}

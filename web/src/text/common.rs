//! Texts that stand on every page: frame, navigation, states, buttons. Pure.

super::texts! {
    /// Frame, navigation, states, buttons.
    Common {
        skip: "Saltar al contenido", "Skip to content";
        menu: "Menú", "Menu";
        main_navigation: "Principal", "Main";
        nav_overview: "Resumen", "Overview";
        nav_alerts: "Alertas", "Alerts";
        nav_deliveries: "Envíos", "Deliveries";
        nav_channels: "Canales", "Channels";
        nav_plan: "Plan", "Plan";
        nav_rules: "Reglas", "Rules";
        nav_settings: "Ajustes", "Settings";
        nav_about: "Salud de Farero", "Farero's health";
        systems: "Sistemas", "Systems";
        language: "Idioma", "Language";
        theme: "Apariencia", "Appearance";
        theme_auto: "Como el sistema", "As the device";
        theme_light: "Claro", "Light";
        theme_dark: "Oscuro", "Dark";
        log_out: "Cerrar sesión", "Log out";
        logged_in_as: "Sesión de", "Logged in as";
        state_up: "Funciona", "Up";
        state_slow: "Lento", "Slow";
        state_down: "Caído", "Down";
        state_blind: "Sin datos", "No data";
        rank_info: "Informativa", "Info";
        rank_low: "Baja", "Low";
        rank_warning: "Advertencia", "Warning";
        rank_high: "Alta", "High";
        rank_critical: "Crítica", "Critical";
        live: "En vivo", "Live";
        live_lost: "Sin conexión; se vuelve a intentar", "Connection lost; trying again";
        save: "Guardar", "Save";
        cancel: "Cancelar", "Cancel";
        copy: "Copiar", "Copy";
        copied: "Copiado", "Copied";
        search: "Buscar", "Search";
        filter: "Filtrar", "Filter";
        all: "Todo", "All";
        none: "Ninguno", "None";
        yes: "Sí", "Yes";
        no: "No", "No";
        never: "Nunca", "Never";
        system: "Sistema", "System";
        component: "Componente", "Component";
        name: "Nombre", "Name";
        state: "Estado", "State";
        when: "Cuándo", "When";
        value: "Valor", "Value";
        newer: "Más recientes", "Newer";
        older: "Más antiguas", "Older";
        close: "Cerrar", "Close";
        back_to_overview: "Volver al resumen", "Back to the overview";
        details: "Detalles", "Details";
        api: "API", "API";
        error_not_found: "Esta página no existe", "There is no such page";
        error_not_found_help: "Puede que el sistema o la comprobación ya no estén en el plan. Vuelva al resumen para ver lo que hay.", "The system or check may no longer be in the plan. Go back to the overview to see what there is.";
        error_method: "Esta dirección no se usa así", "This address is not used in this way";
        error_method_help: "La dirección existe, pero no admite este método. Los programas encuentran los que admite en la cabecera Allow; las personas, los botones y enlaces de las páginas.", "The address exists, but does not take this method. Programs find those that it takes in the header Allow; people, the buttons and links of the pages.";
        error_forbidden: "No tiene permiso para esto", "You may not do this";
        error_forbidden_help: "Pida a quien administra este Farero que amplíe su función.", "Ask the administrator of this Farero to extend your role.";
        error_unauthorized: "Hay que iniciar sesión", "Log-in needed";
        error_unauthorized_help: "Inicie sesión o envíe una clave de API: Authorization: Bearer farero_…", "Log in, or send an API token: Authorization: Bearer farero_…";
        error_invalid_help: "Corrija lo que se indica y vuelva a intentarlo.", "Mend what is named and try again.";
        error_refused_help: "Lea la causa de arriba; cuando esté resuelta, vuelva a intentarlo.", "Read the cause above; once it is solved, try again.";
        error_csrf: "La petición no venía de esta página", "The request did not come from this page";
        error_csrf_help: "Por seguridad no se ha hecho nada. Vuelva atrás, recargue la página y pruebe otra vez.", "To be safe nothing was done. Go back, reload the page and try again.";
        error_busy: "Demasiado trabajo a la vez", "Too much at once";
        error_busy_help: "Espere unos segundos y vuelva a intentarlo.", "Wait a few seconds and try again.";
        error_internal: "Algo ha fallado dentro de Farero", "Something failed inside Farero";
        error_internal_help: "No se ha perdido nada de lo guardado. Busque el número de abajo en el registro de Farero.", "Nothing that was stored is lost. Look for the number below in Farero's log.";
        error_invalid: "No se entiende la petición", "The request cannot be understood";
        error_refused: "No se pudo hacer", "It could not be done";
        reference: "Referencia", "Reference";
    }
}

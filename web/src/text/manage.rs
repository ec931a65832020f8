//! Texts of the plan, the rules, Farero's own health. Pure.

super::texts! {
    /// The plan, the rules, Farero's own health.
    Manage {
        plan_title: "Plan", "Plan";
        version: "Versión", "Version";
        folder: "Carpeta", "Folder";
        environment: "Entorno", "Environment";
        loaded: "Cargado", "Loaded";
        zone: "Zona horaria", "Time zone";
        reload: "Recargar ahora", "Reload now";
        reload_ok: "Última recarga: aceptada", "Last reload: accepted";
        reload_refused: "Última recarga: rechazada. Sigue en uso el plan anterior.", "Last reload: refused. The plan before stays in use.";
        findings: "Hallazgos", "Findings";
        findings_none: "Sin hallazgos: el plan no se contradice y no le falta nada que Farero sepa ver.", "No findings: the plan does not contradict itself and lacks nothing that Farero can see.";
        open_parameters: "Parámetros abiertos", "Open parameters";
        open_none: "Todos los parámetros tienen valor.", "All parameters have values.";
        waiting: "Lo esperan", "Waiting for it";
        inactive: "Inactivo por ahora", "Inactive for now";
        inactive_none: "Todo lo que está en el plan está activo.", "Everything in the plan is active.";
        severities: "Severidades", "Severities";
        tasks: "Actividades", "Activities";
        documents: "Procedimientos y listas", "Runbooks and checklists";
        versions: "Versiones cargadas", "Versions loaded";
        by: "Quién", "Who";
        mode: "Modo", "Mode";
        mode_automatic: "Automático", "Automatic";
        mode_manual: "Manual", "Manual";
        mode_both: "Mixto", "Both";
        rules_title: "Reglas", "Rules";
        rules_none: "Todavía no hay reglas: el plan no nombra severidades para sus propias alertas y no tiene archivos en rules/.", "There are no rules yet: the plan names no severities for its own alerts and has no files in rules/.";
        expression: "Expresión", "Expression";
        hold: "Durante", "For";
        keep_firing: "Sigue activa", "Keeps firing for";
        evaluated: "Evaluada", "Evaluated";
        evaluated_ok: "Correcta", "Fine";
        evaluated_failed: "Falló", "Failed";
        evaluated_unknown: "Aún no", "Not yet";
        active_alerts: "Alertas", "Alerts";
        from_plan: "Del plan", "From the plan";
        recording: "Registra una serie", "Records a series";
        about_title: "Salud de Farero", "Farero's health";
        about_ready: "Farero está en marcha y vigila", "Farero is running and watching";
        about_starting: "Farero está arrancando", "Farero is starting";
        running_since: "En marcha desde", "Running since";
        lateness: "Retraso de las comprobaciones (p99)", "Lateness of checks (p99)";
        live_pages: "Páginas en vivo", "Live pages";
        outbox: "Bandeja de salida", "Outbox";
        own_metrics: "Contadores propios", "Own counters";
        own_none: "Los contadores aparecerán tras el primer minuto.", "Counters appear after the first minute.";
        limits_note: "Cada cola y cada espera tiene un límite con nombre; si se alcanza, se ve aquí.", "Every queue and wait has a named limit; when one is reached, it shows here.";
        intensive_title: "Vigilancia intensiva", "Intensive watch";
        intensive_help: "Acorta los intervalos durante un incidente, un lanzamiento o tras un cambio, y vuelve sola a lo normal.", "Shortens the intervals during an incident, a launch or after a change, and goes back by itself.";
        whole_system: "Todo el sistema", "The whole system";
        for_30m: "30 minutos", "30 minutes";
        for_2h: "2 horas", "2 hours";
        for_24h: "24 horas", "24 hours";
        for_7d: "7 días", "7 days";
        switch_on: "Activar", "Switch on";
        switch_off: "Terminar", "End";
        duration: "Duración", "Duration";
        done_acknowledged: "La alerta queda atendida.", "The alert is acknowledged.";
        done_confirmed: "Queda confirmado que se comunicó.", "It is confirmed that it was passed on.";
        done_retried: "El envío se intentará enseguida.", "The delivery will be tried at once.";
        done_intensive: "Vigilancia intensiva cambiada.", "Intensive watch changed.";
        done_reloaded: "El plan se ha vuelto a leer.", "The plan was read again.";
        done_checked: "La comprobación se ha pedido; el resultado llega enseguida.", "The check was asked for; its result comes at once.";
        done_saved: "Guardado.", "Saved.";
        done_ended: "Sesión terminada.", "Session ended.";
        done_password: "Contraseña cambiada. Las demás sesiones han terminado.", "Password changed. All other sessions have ended.";
        done_revoked: "La clave ya no vale.", "The token is no longer valid.";
        done_asked: "Se pidió la aprobación: ocurre cuando otras personas la den.", "Approval was asked for: it happens once others have said yes.";
        done_answered: "Su respuesta queda registrada.", "Your answer is recorded.";
        done_nothing: "Ya estaba hecho: no había nada que cambiar.", "It was already done: there was nothing to change.";
    }
}

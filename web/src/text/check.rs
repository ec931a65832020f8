//! Texts of a check's page. Pure.

super::texts! {
    /// A check's page.
    CheckPage {
        since: "Así desde", "So since";
        last_run: "Última comprobación", "Last run";
        took: "Tardó", "Took";
        attempts: "Intentos", "Attempts";
        uptime: "Disponibilidad", "Uptime";
        uptime_24h: "24 horas", "24 hours";
        uptime_7d: "7 días", "7 days";
        uptime_30d: "30 días", "30 days";
        uptime_1y: "1 año", "1 year";
        uptime_none: "Aún sin datos", "No data yet";
        uptime_blind: "El tiempo en que Farero mismo no vigilaba no cuenta como caída.", "Time in which Farero itself was not watching does not count as downtime.";
        latency: "Tiempo de respuesta", "Response time";
        latency_none: "Todavía no hay mediciones en este periodo.", "There are no measurements in this period yet.";
        range: "Periodo", "Period";
        phase_resolve: "Nombre", "Name lookup";
        phase_connect: "Conexión", "Connect";
        phase_tls: "TLS", "TLS";
        phase_processing: "Proceso", "Processing";
        phase_transfer: "Transferencia", "Transfer";
        total: "Total (máx.)", "Total (max)";
        time: "Hora", "Time";
        failures: "Últimos fallos", "Last failures";
        failures_none: "Ningún fallo guardado. Cuando haya uno, aquí estará la prueba: estado, error y los primeros bytes de la respuesta.", "No failure is stored. When there is one, its evidence is here: status, error and the first bytes of the answer.";
        evidence: "Evidencia", "Evidence";
        answer: "Respuesta", "Answer";
        readings: "Lecturas", "Readings";
        settings: "Ajustes en uso", "Settings in use";
        every: "Cada", "Every";
        timeout: "Tiempo límite por intento", "Timeout per attempt";
        pause: "Pausa entre intentos", "Pause between attempts";
        slow: "Lento desde", "Slow from";
        intensive: "En vigilancia intensiva", "While watched intensively";
        detection: "Se detecta en, a más tardar", "Detected within, at the latest";
        depends: "Depende de", "Depends on";
        runbook: "Procedimiento", "Runbook";
        kind: "Tipo", "Kind";
        target: "Qué se pregunta", "What is asked";
        alerts: "Alertas de esta comprobación", "Alerts of this check";
        alerts_none: "Ninguna regla nombra esta comprobación.", "No rule names this check.";
        heartbeat_url: "Dirección para llamar", "Address to call";
        heartbeat_help: "Llame a esta dirección al terminar. Con /start al empezar se mide la duración; con /fail o el código de salida se avisa de un fallo.", "Call this address when done. With /start at the beginning the duration is measured; /fail or the exit code reports a failure.";
        heartbeat_secret: "La dirección es secreta: quien la tiene puede decir que el trabajo se hizo.", "The address is secret: whoever has it can say that the job was done.";
        pings: "Últimas llamadas", "Last calls";
        pings_none: "Todavía no ha llamado nadie.", "Nobody has called yet.";
        ping_start: "Empezó", "Started";
        ping_success: "Terminó bien", "Finished well";
        ping_fail: "Falló", "Failed";
        check_now: "Comprobar ahora", "Check now";
        not_yet: "Todavía no se ha comprobado", "Not checked yet";
        metric: "Métrica", "Metric";
    }
}

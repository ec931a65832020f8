//! Texts of alerts and deliveries. Pure.

super::texts! {
    /// Alerts and deliveries.
    Alerts {
        title: "Alertas", "Alerts";
        firing: "Activas", "Active";
        past: "Pasadas", "Past";
        none_firing: "Ninguna alerta activa. Todo lo que las reglas vigilan está en orden.", "No active alerts. Everything the rules watch is in order.";
        none_found: "Ninguna alerta coincide con el filtro.", "No alert matches the filter.";
        none_past: "Todavía no ha habido alertas. Cuando haya una, quedará aquí con su historia.", "There have been no alerts yet. When there is one, it stays here with its history.";
        severity: "Severidad", "Severity";
        alert: "Alerta", "Alert";
        since: "Desde", "Since";
        ended: "Terminó", "Ended";
        lasted: "Duró", "Lasted";
        acknowledged: "Atendida", "Acknowledged";
        acknowledged_by: "Atendida por", "Acknowledged by";
        acknowledge: "Atender", "Acknowledge";
        acknowledge_help: "Dice al equipo que usted se ocupa. La alerta sigue hasta que se resuelva.", "Tells the team that you take care of it. The alert stays until it is resolved.";
        note: "Nota", "Note";
        note_hint: "Qué se sabe, qué se está haciendo", "What is known, what is being done";
        timeline: "Historia", "Timeline";
        began: "La condición empezó", "The condition began";
        fired: "Alerta activada", "Alert fired";
        resolved: "Resuelta", "Resolved";
        informed: "Informada", "Informed";
        still_firing: "Sigue activa", "Still active";
        labels: "Etiquetas", "Labels";
        rule: "Regla", "Rule";
        value: "Valor", "Value";
        deliveries: "Envíos de esta alerta", "Deliveries of this alert";
        deliveries_none: "Ningún envío todavía.", "No delivery yet.";
        check: "Ver la comprobación", "See the check";
        del_title: "Envíos", "Deliveries";
        del_none: "No hay envíos que mostrar. Cada mensaje que sale queda aquí, con cada intento.", "No deliveries to show. Every message that goes out stays here, with every attempt.";
        channel: "Canal", "Channel";
        message: "Mensaje", "Message";
        tries: "Intentos", "Attempts";
        next_try: "Próximo intento", "Next attempt";
        state_queued: "En cola", "Queued";
        state_sending: "Enviándose", "Being sent";
        state_sent: "Enviado", "Sent";
        state_awaiting_person: "Espera a una persona", "Waits for a person";
        state_failed: "No se pudo enviar", "Could not be sent";
        retry: "Reintentar ahora", "Retry now";
        confirm: "Ya lo comuniqué", "I have passed it on";
        confirm_help: "Copie el texto, comuníquelo por el medio indicado y confírmelo aquí.", "Copy the text, pass it on by the medium named, and confirm it here.";
        confirmed_by: "Comunicado por", "Passed on by";
        fallback_of: "En lugar de", "Instead of";
        answer: "Respuesta", "Answer";
        attempt_ok: "Aceptado", "Taken";
        attempt_postponed: "Aplazado", "Postponed";
        attempt_refused: "Rechazado", "Refused";
        log: "Registro de intentos", "Log of attempts";
        oldest: "el más antiguo", "the oldest";
        text: "Texto", "Text";
        created: "Creado", "Created";
        channels_title: "Canales", "Channels";
        channels_none: "Este plan no tiene canales activos: nadie recibiría sus alertas. Añada uno bajo channels: en el plan.", "This plan has no active channels: nobody would receive its alerts. Add one under channels: in the plan.";
        test: "Enviar prueba", "Send test";
        test_ok: "El canal aceptó la prueba", "The channel took the test";
        test_failed: "El canal no aceptó la prueba", "The channel did not take the test";
        last_message: "Último mensaje", "Newest message";
        waiting: "En espera", "Waiting";
        used_by: "Lo usan", "Used by";
        used_by_none: "Ninguna severidad lo usa", "No severity uses it";
        fallback: "Si falla, sigue", "If it fails, next is";
        limit: "Límite", "Limit";
        at_least: "Solo desde", "Only from";
        no_recovery: "Sin recuperaciones", "Without recoveries";
        deliver: "Entrega", "Delivery";
    }
}

//! What the trail's actions are called, in both languages. An action that is not here is shown by its own word. Pure.

use kernel::Language;
use kernel::trail::Actor;

/// Action, Spanish, English.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("access.refuse", "Acceso denegado", "Access refused"),
    ("account.change", "Cuenta propia cambiada", "Own account changed"),
    ("alert.acknowledge", "Alerta atendida", "Alert acknowledged"),
    ("alert.fire", "Alerta activada", "Alert fired"),
    ("alert.resolve", "Alerta resuelta", "Alert resolved"),
    ("channel.test", "Mensaje de prueba", "Test message"),
    ("check.run", "Comprobación inmediata", "Check at once"),
    ("delivery.confirm", "Aviso confirmado por una persona", "Message confirmed by a person"),
    ("delivery.fail", "Aviso no entregado", "Message not delivered"),
    ("delivery.fall_back", "Aviso pasado a otro canal", "Message passed to another channel"),
    ("delivery.retry", "Reintento de aviso", "Message tried again"),
    ("delivery.send", "Aviso enviado", "Message sent"),
    ("document.sign", "Documento firmado", "Document signed"),
    ("farero.blind", "Tiempo sin vigilancia", "Time without watch"),
    ("farero.start", "Farero arrancó", "Farero started"),
    ("farero.stop", "Farero paró", "Farero stopped"),
    ("grant.give", "Permiso concedido", "Grant given"),
    ("grant.take", "Permiso retirado", "Grant taken back"),
    ("intensive.set", "Vigilancia intensiva cambiada", "Intensive watch changed"),
    ("link.make", "Enlace de un solo uso creado", "One-time link made"),
    ("link.use", "Enlace de un solo uso utilizado", "One-time link used"),
    ("login.codes.begin", "Códigos de un solo uso activados", "One-time codes set up"),
    ("login.codes.end", "Códigos de un solo uso quitados", "One-time codes removed"),
    ("login.passkey.add", "Llave de acceso añadida", "Passkey added"),
    ("login.passkey.remove", "Llave de acceso quitada", "Passkey removed"),
    ("login.policy", "Reglas de acceso cambiadas", "Rules of log-in changed"),
    ("login.provider.link", "Cuenta de un proveedor vinculada", "Account at a provider linked"),
    ("login.provider.unlink", "Cuenta de un proveedor desvinculada", "Account at a provider unlinked"),
    ("login.recovery.renew", "Códigos de recuperación nuevos", "New recovery codes"),
    ("login.recovery.use", "Código de recuperación usado", "Recovery code used"),
    ("login.reset", "Segundo paso quitado por otra persona", "Second step taken away by somebody else"),
    ("login.seal.break", "Sello de emergencia roto", "Seal of the break-glass account broken"),
    ("login.seal.make", "Código de emergencia sellado", "Break-glass code sealed"),
    ("password.change", "Contraseña cambiada", "Password changed"),
    ("plan.refuse", "Plan nuevo rechazado", "New plan refused"),
    ("plan.reload", "Recarga del plan pedida", "Reload of the plan asked for"),
    ("plan.use", "Plan en uso", "Plan put in use"),
    ("plan.write", "Plan escrito por el asistente", "Plan written by the assistant"),
    ("session.begin", "Inicio de sesión", "Log-in"),
    ("session.end", "Cierre de sesión", "Log-out"),
    ("state.backup", "Copia de los datos de Farero", "Backup of Farero's data"),
    ("state.migrate", "Base de datos actualizada", "Database brought up to date"),
    ("state.move", "Datos de Farero trasladados", "Farero's data moved"),
    ("state.restore", "Datos de Farero restaurados", "Farero's data restored"),
    ("team.change", "Equipo cambiado", "Team changed"),
    ("team.create", "Equipo creado", "Team created"),
    ("team.delete", "Equipo borrado", "Team deleted"),
    ("token.create", "Token creado", "Token made"),
    ("token.revoke", "Token revocado", "Token taken back"),
    (
        "trail.checkpoints_restored",
        "Archivo de firmas del registro repuesto",
        "File of the trail's signatures written anew",
    ),
    ("trail.cut", "Registro recortado tras su plazo legal", "Trail cut after its legal time"),
    ("trail.export", "Registro exportado", "Trail exported"),
    ("trail.key", "Clave de firma nueva", "New signing key"),
    ("user.change", "Usuario cambiado", "User changed"),
    ("user.create", "Usuario creado", "User created"),
    ("user.delete", "Usuario borrado", "User deleted"),
    ("watchdog.fail", "El latido externo no responde", "The outside heartbeat does not answer"),
    ("watchdog.recover", "El latido externo responde de nuevo", "The outside heartbeat answers again"),
];

/// Kind of thing, Spanish, English: what the page offers to search for.
const KINDS: &[(&str, &str, &str)] = &[
    ("access.", "Accesos denegados", "Refused access"),
    ("alert.", "Alertas", "Alerts"),
    ("channel.", "Canales", "Channels"),
    ("check.", "Comprobaciones", "Checks"),
    ("delivery.", "Avisos", "Messages"),
    ("document.", "Documentos y firmas", "Documents and signatures"),
    ("farero.", "Farero mismo", "Farero itself"),
    ("grant.", "Permisos", "Grants"),
    ("intensive.", "Vigilancia intensiva", "Intensive watch"),
    ("link.", "Enlaces de un solo uso", "One-time links"),
    ("password.", "Contraseñas", "Passwords"),
    ("plan.", "Planes", "Plans"),
    ("session.", "Sesiones", "Sessions"),
    ("state.", "Datos de Farero", "Farero's data"),
    ("team.", "Equipos", "Teams"),
    ("token.", "Tokens", "Tokens"),
    ("trail.", "Registro de auditoría", "Audit trail"),
    ("user.", "Usuarios", "Users"),
    ("watchdog.", "Latido externo", "Outside heartbeat"),
];

/// What an action is called.
pub(crate) fn action(language: Language, word: &str) -> String {
    let known = ACTIONS.iter().find(|(w, _, _)| *w == word);
    known.map_or_else(|| word.to_owned(), |(_, es, en)| language.pick(*es, *en).to_owned())
}

/// The kinds of things that deeds are done to, as the start of their actions, with their names.
pub(crate) fn kinds(language: Language) -> Vec<(&'static str, &'static str)> {
    KINDS.iter().map(|(word, es, en)| (*word, language.pick(*es, *en))).collect()
}

/// Who did something, in words.
pub(crate) fn actor(language: Language, actor: &Actor) -> String {
    let pick = |es: &str, en: &str| language.pick(es, en).to_owned();
    match actor {
        Actor::Person { name } => name.clone(),
        Actor::Token { name, token } => format!("{name} ({} {token})", pick("token", "token")),
        Actor::Service { name, token } => format!("{name} ({} {token})", pick("servicio, token", "service, token")),
        Actor::Farero { name } => format!("Farero ({name})"),
        Actor::Local { name } => format!("{name} ({})", pick("en la máquina", "at the machine")),
        Actor::Nobody => pick("sin identificar", "unidentified"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_is_of_a_kind_that_can_be_searched_for() {
        assert!(ACTIONS.is_sorted() && KINDS.is_sorted());
        for (word, es, en) in ACTIONS {
            let kind = KINDS.iter().any(|(k, _, _)| word.starts_with(k));
            assert!(kind || word.starts_with("account.") || word.starts_with("login."), "{word}");
            assert!(!es.is_empty() && !en.is_empty());
        }
        assert_eq!(action(Language::Es, "alert.acknowledge"), "Alerta atendida");
        assert_eq!(action(Language::En, "robot.dance"), "robot.dance");
    }
}

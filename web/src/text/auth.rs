//! Texts of log-in, accounts and tokens. Pure.

super::texts! {
    /// Log-in, accounts, tokens.
    Auth {
        login: "Iniciar sesión", "Log in";
        user: "Usuario", "User name";
        password: "Contraseña", "Password";
        password_again: "Contraseña, otra vez", "Password, again";
        wrong: "El usuario o la contraseña no son correctos.", "The user name or the password is wrong.";
        wait: "Demasiados intentos fallidos. Espere un poco y pruebe otra vez", "Too many failed attempts. Wait a little and try again";
        no_users: "Farero todavía no tiene cuentas. Al arrancar escribió en su registro un enlace de un solo uso para crear la primera; ábralo.", "Farero has no accounts yet. At its start it wrote a one-time link to its log for creating the first; open that.";
        setup: "Crear la primera cuenta", "Create the first account";
        setup_help: "Esta cuenta administra Farero. El enlace vale una sola vez.", "This account administers Farero. The link works once.";
        choose: "Elegir contraseña", "Choose a password";
        choose_help: "Elija la contraseña de su cuenta. El enlace vale una sola vez.", "Choose the password of your account. The link works once.";
        password_hint: "Al menos 12 caracteres. Cuatro palabras al azar se recuerdan bien.", "At least 12 characters. Four random words are easy to remember.";
        link_gone: "Este enlace ya no vale", "This link no longer works";
        link_gone_help: "Los enlaces valen una vez y un día. Pida uno nuevo a quien administra; para la primera cuenta, arranque Farero otra vez.", "Links work once, for a day. Ask the administrator for a new one; for the first account, start Farero again.";
        weak_short: "La contraseña es demasiado corta: use al menos 12 caracteres.", "The password is too short: use at least 12 characters.";
        weak_long: "La contraseña es demasiado larga: use como máximo 512 bytes.", "The password is too long: use at most 512 bytes.";
        weak_like_name: "La contraseña se parece demasiado al usuario.", "The password is too much like the user name.";
        weak_common: "Esa contraseña es de las primeras que se adivinan. Use cuatro palabras al azar.", "That password is among the first that are guessed. Use four random words.";
        differ: "Las dos contraseñas no son iguales.", "The two passwords differ.";
        name_taken: "Ese usuario ya existe.", "That user name exists already.";
        name_invalid: "El usuario lleva de 2 a 64 caracteres, sin espacios al principio ni al final.", "A user name has 2 to 64 characters, without spaces at its ends.";
        create: "Crear", "Create";
        settings_title: "Ajustes", "Settings";
        account: "Su cuenta", "Your account";
        role: "Función", "Role";
        role_viewer: "Observa", "Viewer";
        role_operator: "Opera", "Operator";
        role_administrator: "Administra", "Administrator";
        change_password: "Cambiar la contraseña", "Change the password";
        current_password: "Contraseña actual", "Current password";
        new_password: "Contraseña nueva", "New password";
        sessions: "Sesiones abiertas", "Open sessions";
        this_session: "Esta sesión", "This session";
        end_session: "Terminar", "End";
        last_used: "Último uso", "Last used";
        began: "Iniciada", "Began";
        device: "Navegador y dirección", "Browser and address";
        tokens: "Claves de API", "API tokens";
        tokens_help: "Para programas: un panel que muestra el estado, Grafana, un script. Se muestran una sola vez.", "For programs: a panel that shows the state, Grafana, a script. They are shown once.";
        tokens_none: "Todavía no hay claves.", "There are no tokens yet.";
        token_name: "Para qué", "What for";
        token_scope: "Permiso", "Scope";
        scope_read: "Leer", "Read";
        scope_write: "Leer y operar", "Read and operate";
        token_expires: "Vence", "Expires";
        token_days: "Vence en", "Expires in";
        days_30: "30 días", "30 days";
        days_365: "1 año", "1 year";
        days_never: "Nunca", "Never";
        token_made: "Copie la clave ahora: no se volverá a mostrar", "Copy the token now: it will not be shown again";
        revoke: "Anular", "Revoke";
        revoked: "Anulada", "Revoked";
        expired: "Vencida", "Expired";
        users: "Personas", "People";
        users_help: "Cada persona recibe un enlace de un solo uso para elegir su contraseña.", "Each person gets a one-time link to choose a password.";
        add_user: "Añadir persona", "Add a person";
        user_link: "Envíe este enlace a la persona: vale una vez, durante un día", "Send this link to the person: it works once, for a day";
        new_link: "Enlace nuevo", "New link";
        disabled: "No puede entrar", "May not log in";
        enabled: "Puede entrar", "May log in";
        access: "Acceso", "Access";
        not_yourself: "No puede quitarse a sí misma la administración: pídalo a otra persona que administre.", "You cannot take administration from yourself: ask another administrator.";
        needs_administrator: "Solo quien administra ve a las demás personas.", "Only administrators see other people.";
    }
}

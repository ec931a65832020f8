//! Texts of the first-run assistant. Pure.

super::texts! {
    /// The first-run assistant.
    Welcome {
        title: "Primeros pasos", "First steps";
        step_place: "Lugar", "Place";
        step_channel: "Avisos", "Messages";
        step_check: "Vigilar", "Watch";
        step_done: "Listo", "Done";
        skip: "Omitir este paso", "Skip this step";
        later: "Seguir más tarde", "Go on later";
        no_folder: "Farero vigila varios planes, o no puede escribir en su carpeta. Cambie los archivos del plan a mano.", "Farero watches several plans, or cannot write into their folder. Change the plan's files by hand.";
        place_title: "¿Qué va a cuidar Farero?", "What will Farero look after?";
        place_help: "Tres pasos y unos tres minutos. Todo se puede cambiar después.", "Three steps and about three minutes. Everything can be changed later.";
        label: "Nombre del equipo o sistema", "Name of the team or system";
        label_example: "Mesa de partes", "Help desk";
        timezone: "Zona horaria", "Time zone";
        zone_unknown: "Esa zona horaria no existe: elija una de la lista, como America/Lima.", "There is no such time zone: choose one of the list, such as America/Lima.";
        language: "Idioma de los avisos", "Language of messages";
        plan_is_yours: "El plan de esta carpeta es suyo y no se cambia; el asistente añade un archivo al lado:", "The plan in this folder is yours and is left alone; the assistant adds a file beside it:";
        channel_title: "¿Por dónde le avisa?", "How should it tell you?";
        channel_help: "Elija un canal; enseguida se envía un mensaje de prueba.", "Choose a channel; a test message is sent at once.";
        channel_incomplete: "Falta algo: llene los campos; las direcciones empiezan por https://.", "Something is missing: fill in the fields; addresses begin with https://.";
        kind_email: "Correo", "E-mail";
        kind_ntfy: "ntfy (teléfono)", "ntfy (phone)";
        kind_webhook: "Webhook", "Webhook";
        mail_server: "Servidor de correo saliente", "Outgoing mail server";
        mail_security: "Cifrado", "Encryption";
        mail_user: "Usuario del servidor, si lo pide", "User at the server, if it asks for one";
        mail_password: "Contraseña del servidor, si la pide", "Password at the server, if it asks for one";
        mail_from: "De", "From";
        mail_to: "Para", "To";
        telegram_token: "Clave del bot", "The bot's token";
        telegram_help: "Hable con @BotFather, cree un bot y copie aquí la clave que le da.", "Talk to @BotFather, make a bot, and copy the token it gives you.";
        telegram_chat: "Número del chat o grupo", "Number of the chat or group";
        ntfy_topic: "Tema", "Topic";
        ntfy_help: "Instale la aplicación ntfy y suscríbase a un tema que nadie pueda adivinar.", "Install the ntfy app and subscribe to a topic that nobody can guess.";
        ntfy_server: "Servidor, si no es el público", "Server, if not the public one";
        hook_url: "Dirección del webhook", "Address of the webhook";
        hook_help: "La da la aplicación al añadir un webhook entrante. Empieza por https://.", "The app gives it when you add an incoming webhook. It begins with https://.";
        secret_help: "Las claves se guardan en la carpeta de datos, no en el plan, y no se vuelven a mostrar.", "Secrets are kept in the data folder, not in the plan, and are not shown again.";
        send_test: "Guardar y enviar prueba", "Save and send a test";
        test_sent: "El mensaje de prueba salió. Respuesta:", "The test message went out. Answer:";
        test_arrived: "¿Le ha llegado?", "Has it reached you?";
        arrived: "Sí, continuar", "Yes, continue";
        not_arrived: "No: corregir los datos", "No: correct the details";
        test_failed: "El canal quedó guardado, pero el mensaje de prueba no salió:", "The channel is saved, but the test message did not go out:";
        check_title: "¿Qué vigila primero?", "What should it watch first?";
        check_help: "Una página, un servicio o un servidor que le importe. Se prueba enseguida y después cada minuto.", "A page, a service or a server that matters to you. It is tried at once, and every minute after that.";
        address: "Dirección", "Address";
        address_help: "https://… para una página; maquina:puerto para un servicio; solo el nombre para un ping.", "https://… for a page; host:port for a service; the name alone for a ping.";
        address_unknown: "No se entiende la dirección: escriba https://…, maquina:puerto o un nombre.", "The address cannot be understood: write https://…, host:port, or a name.";
        check_label: "Cómo se llama (opcional)", "What it is called (optional)";
        check_example: "Portal web", "Web portal";
        watch: "Vigilar", "Watch it";
        done_title: "Farero ya vigila", "Farero is watching";
        done_channel: "Si algo falla, le avisará por el canal que probó.", "If something fails, it will tell you over the channel you tried.";
        done_no_channel: "Todavía no hay ningún canal: si algo falla, solo se verá en estas páginas.", "There is no channel yet: if something fails, only these pages show it.";
        done_plan: "Lo que ha elegido está escrito, con explicaciones, en", "What you chose is written, with explanations, in";
        done_security: "Proteger su cuenta: códigos y llaves de acceso", "Protect your account: codes and passkeys";
        done_people: "Invitar a otras personas", "Invite other people";
        to_overview: "Ir al resumen", "Go to the overview";
    }
}

//! Texts of the audit trail and of signatures. Pure.

super::texts! {
    /// The audit trail, signatures.
    Trail {
        title: "Registro de auditoría", "Audit trail";
        nav: "Auditoría", "Audit trail";
        none: "Todavía no hay entradas.", "There are no entries yet.";
        none_found: "Ninguna entrada coincide. Quite alguna condición.", "No entry matches. Take a condition away.";
        what: "Qué", "What";
        actor: "Quién", "Who";
        object: "Objeto", "Object";
        kind: "De qué", "Of what";
        outcome: "Resultado", "Outcome";
        done: "Hecho", "Done";
        refused: "Denegado", "Refused";
        failed: "Falló", "Failed";
        business_id: "Incidente o cambio", "Incident or change";
        since: "Desde el día", "From day";
        until: "Hasta el día", "To day";
        from: "Desde dónde", "From where";
        detail: "Detalle", "Detail";
        action: "Acción", "Action";
        hash: "Hash", "Hash";
        entry: "Entrada", "Entry";
        changed: "cambiado; el valor no se muestra", "changed; the value is not shown";
        export_jsonl: "Exportar para verificar", "Export to verify";
        export_csv: "Exportar CSV", "Export CSV";
        proof: "Prueba", "Proof";
        proof_help: "Cada entrada lleva el hash de la anterior y Farero firma el registro cada hora. Para comprobarlo sin Farero: exporte, y luego `farero trail verify ARCHIVO --key CLAVE`. Guarde las exportaciones en otro lugar.", "Each entry holds the hash of the one before, and Farero signs the trail each hour. To check it without Farero: export, then `farero trail verify FILE --key KEY`. Keep exports somewhere else.";
        entries: "Última entrada", "Last entry";
        signed: "Firmado hasta la entrada", "Signed up to entry";
        key: "Clave pública", "Public key";
        signatures: "Firmas", "Signatures";
        signatures_none: "Nadie ha firmado esta versión del documento.", "Nobody has signed this version of the document.";
        required: "Debe firmar", "Must sign";
        missing: "Falta", "Missing";
        complete: "Completo", "Complete";
        done_signed: "Documento firmado.", "Document signed.";
        signed_by: "Firmado por", "Signed by";
        role: "Rol", "Role";
        sign: "Firmar", "Sign";
        sign_help: "Firma el texto exacto que ve. Si el documento cambia, la firma sigue valiendo para el texto anterior y hay que firmar de nuevo.", "You sign exactly the text that you see. When the document changes, the signature stays with the text before, and the new one must be signed again.";
        sign_note: "Nota (opcional)", "Note (optional)";
        sign_password: "Su contraseña, otra vez", "Your password, again";
        sign_no_role: "Ningún rol del plan le corresponde, así que no puede firmar aquí.", "You fill no role of the plan, so you cannot sign here.";
        sign_already: "Ya firmó este texto con ese rol.", "You have signed this text in that role already.";
        sign_changed: "El documento cambió mientras lo leía. Léalo otra vez y firme el texto nuevo.", "The document changed while you read it. Read it again and sign the new text.";
        earlier: "Firmas de versiones anteriores", "Signatures of earlier versions";
        signed_copy: "Descargar copia firmada", "Download the signed copy";
        text_hash: "SHA-256 del texto", "SHA-256 of the text";
    }
}

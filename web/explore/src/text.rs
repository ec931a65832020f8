//! Every text of the pages over metrics in Spanish and English; one that is missing does not compile. Pure.

use kernel::Language;

/// Defines a table of texts: each line gives a name, the Spanish text and the English text.
macro_rules! texts {
    ($(#[$doc:meta])* $table:ident { $($name:ident: $es:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "the English text beside each name says what it is")]
        #[derive(Debug)]
        pub struct $table { $(pub $name: &'static str,)* }

        impl $table {
            const ES: Self = Self { $($name: $es,)* };
            const EN: Self = Self { $($name: $en,)* };

            #[cfg(test)]
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

texts! {
    /// What several pages say.
    Common {
        explore: "Explorar", "Explore";
        cardinality: "Cardinalidad", "Cardinality";
        targets: "Fuentes de métricas", "Targets";
        rules: "Reglas", "Rules";
        metrics: "Métricas", "Metrics";
        just_now: "ahora mismo", "just now";
        days: "días", "days";
        shown: "Se muestran", "Shows";
        of: "de", "of";
        labels: "Etiquetas", "Labels";
        value: "Valor", "Value";
        time: "Hora", "Time";
        none: "ninguno", "none";
        never: "nunca", "never";
        reload: "Actualizar", "Refresh";
        all: "Todos", "All";
        filter: "Filtrar", "Filter";
        text_filter: "Texto", "Text";
        skip: "Saltar al contenido", "Skip to content";
        navigation: "Navegación principal", "Main navigation";
        language: "Idioma", "Language";
        theme: "Apariencia", "Appearance";
        theme_auto: "Del dispositivo", "As the device";
        theme_light: "Clara", "Light";
        theme_dark: "Oscura", "Dark";
        engine: "El motor de métricas", "The metrics engine";
        read_failed: "No se pudieron leer las series", "The series could not be read";
    }
}

texts! {
    /// The page with queries.
    Explore {
        query: "Consulta", "Query";
        placeholder: "Expresión PromQL, p. ej. rate(http_requests_total[5m])", "PromQL expression, e.g. rate(http_requests_total[5m])";
        run: "Consultar", "Run query";
        add: "Añadir consulta", "Add query";
        remove: "Quitar", "Remove";
        format: "Formatear", "Format";
        off: "Desactivada", "Disabled";
        range: "Intervalo", "Range";
        exact: "Horas exactas", "Exact times";
        last: "Desde hace", "Last";
        from: "Desde", "From";
        to: "Hasta", "To";
        step: "Paso", "Step";
        automatic: "automático", "automatic";
        view: "Vista", "View";
        view_both: "Gráfico y tabla", "Chart and table";
        view_graph: "Gráfico", "Chart";
        view_table: "Tabla", "Table";
        view_heat: "Mapa de calor", "Heat map";
        share: "Enlace con estas horas exactas", "Link with these exact times";
        copy: "Copiar", "Copy";
        copied: "Copiado", "Copied";
        begin: "Escriba una consulta. Con las primeras letras aparecen las métricas que hay; Mayús+Intro pasa a otra línea, Intro consulta.", "Write a query. Its first letters bring up the metrics there are; Shift+Enter begins another line, Enter runs it.";
        begin_with: "Para empezar", "To begin with";
        begin_up: "qué se recoge y si responde", "what is scraped and whether it answers";
        begin_many: "las métricas con más series", "the metrics with the most series";
        begin_slow: "lo que más tarda en recogerse", "what takes longest to scrape";
        no_result: "La consulta no dio ninguna serie", "The query gave no series";
        no_numbers: "Nada que dibujar: la consulta da un texto o las muestras de un rango. La tabla las muestra.", "Nothing to draw: the query gives a text or the samples of a range. The table shows them.";
        no_buckets: "Un mapa de calor necesita intervalos: series con la etiqueta le (con sum by (le)) o histogramas nativos.", "A heat map needs buckets: series with the label le (keep it by sum by (le)) or native histograms.";
        has_buckets: "Son los intervalos de un histograma.", "These are the buckets of a histogram.";
        show_heat: "Ver como mapa de calor", "Show as a heat map";
        counter: "Estos intervalos solo crecen: rate() muestra lo que llega en cada momento.", "These buckets only grow: rate() shows what arrives at each time.";
        with_rate: "Ver con rate()", "Show with rate()";
        wrong_times: "No se entendieron las horas: se muestra la última hora. Valen un intervalo (1h, 2d) o desde y hasta, en ese orden.", "The times were not understood: the last hour is shown. A range (1h, 2d) will do, or from and to, in this order.";
        wrong_step: "El paso no se entendió: se eligió uno. Vale 30s o 5m, y como mucho 11.000 puntos.", "The step was not understood: one was chosen. 30s or 5m will do, and at most 11,000 points.";
        too_long: "La consulta es demasiado larga: caben 16 KiB.", "The query is too long: 16 KiB fit.";
        too_many: "Caben ocho consultas: las demás se dejaron fuera.", "Eight queries fit: the others were left out.";
        series: "series", "series";
        one_series: "serie", "series";
        samples: "muestras leídas", "samples read";
        error: "Error", "Error";
        warning: "Aviso", "Warning";
        info: "Nota", "Note";
        result: "Resultado", "Result";
        count: "Observaciones", "Observations";
        sum: "Suma", "Sum";
        mean: "Media", "Mean";
        bucket: "Intervalo", "Bucket";
        more_buckets: "intervalos más", "more buckets";
        older: "muestras anteriores", "older samples";
        suggestions: "sugerencias", "suggestions";
        k_metric: "métrica", "metric";
        k_function: "función", "function";
        k_aggregation: "agregación", "aggregation";
        k_keyword: "palabra", "keyword";
        k_label: "etiqueta", "label";
        k_value: "valor", "value";
        k_duration: "duración", "duration";
    }
}

texts! {
    /// The page of what makes series many.
    Cardinality {
        lead: "Qué series hay en memoria y qué las hace muchas.", "Which series are in memory, and what makes them many.";
        series: "Series activas", "Active series";
        pairs: "Pares de etiqueta y valor", "Pairs of label and value";
        groups: "Grupos", "Groups";
        oldest: "Muestra más antigua en memoria", "Oldest sample in memory";
        newest: "Muestra más nueva", "Newest sample";
        by_metric: "Métricas con más series", "Metrics with the most series";
        by_label: "Etiquetas con más valores", "Labels with the most values";
        by_pair: "Pares con más series", "Pairs with the most series";
        by_bytes: "Etiquetas que más memoria ocupan", "Labels that take the most memory";
        metric: "Métrica", "Metric";
        label: "Etiqueta", "Label";
        pair: "Etiqueta y valor", "Label and value";
        values: "Valores", "Values";
        bytes: "Bytes de sus valores", "Bytes of its values";
        n_series: "Series", "Series";
        n_labels: "Etiquetas", "Labels";
        share: "Parte", "Share";
        churn: "Rotación en la última hora", "Churn in the last hour";
        churn_lead: "Series que aparecieron o acabaron en la última hora. Una etiqueta que cambia a menudo (un identificador, una versión, un pod) hace muchas.", "Series that appeared or ended in the last hour. A label that changes often (an identifier, a version, a pod) makes many.";
        seen: "En la última hora", "In the last hour";
        alive: "Ahora", "Now";
        made: "Nuevas", "New";
        ended: "Acabadas", "Ended";
        churn_skipped: "Hay demasiadas series para contar una por una las que aparecen y acaban.", "There are too many series to count one by one which appear and end.";
        by_system: "Por sistema", "By system";
        system: "Sistema", "System";
        no_system: "sin sistema", "no system";
        blocks: "Bloques en disco", "Blocks on disk";
        no_blocks: "Todavía no hay bloques en disco: todo está en memoria y en el registro de escritura.", "There are no blocks on disk yet: everything is in memory and in the write-ahead log.";
        block: "Bloque", "Block";
        samples: "Muestras", "Samples";
        size: "Tamaño", "Size";
        per_sample: "Bytes por muestra", "Bytes per sample";
        level: "Nivel", "Level";
        range: "De cuándo a cuándo", "From when to when";
        no_store: "Aquí no se sabe nada del almacén.", "Nothing is known of the store here.";
        empty: "No hay nada en memoria todavía.", "There is nothing in memory yet.";
        empty_help: "Aparecerá en cuanto llegue la primera muestra: de una comprobación, de una fuente que se recoge o de quien envía métricas.", "It appears once the first sample arrives: from a check, from a target that is scraped, or from whoever sends metrics.";
        by_samples: "Métricas que más se escriben", "Metrics that are written most often";
        by_samples_lead: "Muestras por minuto, de los últimos cinco. Recoger menos a menudo lo que cambia poco ahorra disco y trabajo.", "Samples a minute, of the last five. Scraping less often what changes little saves disk and work.";
        samples_a_minute: "Muestras por minuto", "Samples a minute";
    }
}

texts! {
    /// The page of what is scraped.
    Targets {
        lead: "De dónde se recogen métricas y cómo fue la última vez.", "Where metrics are scraped from, and how the last time went.";
        state: "Estado", "State";
        up: "Responde", "Up";
        down: "No responde", "Down";
        unknown: "Aún no", "Not yet";
        pool: "Trabajo", "Job";
        endpoint: "Dirección", "Endpoint";
        last_scrape: "Última recogida", "Last scrape";
        took: "duró", "took";
        samples: "muestras", "samples";
        every: "cada", "every";
        discovered: "Etiquetas antes de reetiquetar", "Labels before relabeling";
        dropped: "Descartados", "Dropped";
        dropped_lead: "La reetiquetación los descartó.", "Relabeling dropped them.";
        empty: "No se recoge nada: la configuración no nombra ninguna fuente.", "Nothing is scraped: the configuration names no targets.";
        empty_help: "En un plan, dé a un servicio la clave metrics con la dirección de sus métricas; en el motor solo, nómbrelas en scrape_configs de su configuración.", "In a plan, give a service the key metrics with the address of its metrics; in the engine alone, name them under scrape_configs of its configuration.";
        why: "Por qué", "Why";
        no_match: "Ninguna fuente cumple el filtro.", "No target passes the filter.";
        of_series: "De las series recogidas", "From the series that were scraped";
        of_series_lead: "Estado según las series up que se guardaron; por qué falló una recogida está en la página de la comprobación.", "State by the series up that were kept; why a scrape failed stands on the page of its check.";
        seen: "vista", "seen";
        up_of: "responden", "up";
    }
}

texts! {
    /// The page of rules.
    Rules {
        lead: "Qué se evalúa, cuándo y con qué resultado.", "What is evaluated, when, and with what result.";
        empty: "No hay reglas: la configuración no nombra archivos de reglas.", "There are no rules: the configuration names no rule files.";
        no_match: "Ninguna regla cumple el filtro.", "No rule passes the filter.";
        every: "cada", "every";
        evaluated: "evaluado", "evaluated";
        took: "duró", "took";
        missed: "evaluaciones perdidas", "missed evaluations";
        limit: "límite", "limit";
        recording: "registra", "records";
        alerting: "alerta", "alert";
        ok: "Correcta", "Fine";
        failed: "Falló", "Failed";
        unknown: "Aún no", "Not yet";
        firing: "Activa", "Firing";
        pending: "Pendiente", "Pending";
        inactive: "Inactiva", "Inactive";
        hold: "durante", "for";
        keep: "sigue activa", "keeps firing for";
        since: "desde", "since";
        alerts: "Alertas", "Alerts";
        more_alerts: "alertas más", "more alerts";
        why: "Por qué", "Why";
        value: "valor", "value";
        keeps: "ya no se cumple; sigue activa por keep_firing_for", "no longer holds; it goes on by keep_firing_for";
        state: "Estado", "State";
        in_explore: "Ver en Explorar", "Open in Explore";
        annotations: "Anotaciones", "Annotations";
    }
}

/// All texts in one language.
#[derive(Debug)]
#[allow(missing_docs, reason = "each table says what it is")]
pub struct Text {
    pub common: Common,
    pub explore: Explore,
    pub cardinality: Cardinality,
    pub targets: Targets,
    pub rules: Rules,
}

static ES: Text = Text {
    common: Common::ES,
    explore: Explore::ES,
    cardinality: Cardinality::ES,
    targets: Targets::ES,
    rules: Rules::ES,
};

static EN: Text = Text {
    common: Common::EN,
    explore: Explore::EN,
    cardinality: Cardinality::EN,
    targets: Targets::EN,
    rules: Rules::EN,
};

/// The texts of a language.
pub fn text(language: Language) -> &'static Text {
    match language {
        Language::Es => &ES,
        Language::En => &EN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_empty_or_left_untranslated_by_accident() {
        let tables = |t: &'static Text| {
            [t.common.all(), t.explore.all(), t.cardinality.all(), t.targets.all(), t.rules.all()].concat()
        };
        for ((name, es), (_, en)) in tables(&ES).iter().zip(&tables(&EN)) {
            assert!(!es.trim().is_empty() && !en.trim().is_empty(), "{name} is empty");
            assert!(en.split_whitespace().count() <= 3 || es != en, "{name} says the same in both languages: {en}");
        }
    }
}

//! What completion tells of functions, aggregations and keywords. Pure.

use decide_promql::ast::AggregateOp;
use kernel::Language;
use serde::Serialize;

/// A word of the language, as completion shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Word {
    /// What is written.
    pub name: &'static str,
    /// `function`, `aggregation` or `keyword`.
    pub kind: &'static str,
    /// How it is called; empty for keywords.
    pub signature: String,
    /// What it does, in one line.
    pub help: &'static str,
}

/// Name, Spanish, English.
type Help = (&'static str, &'static str, &'static str);

/// Functions, by name.
const FUNCTIONS: &[Help] = &[
    ("abs", "Valor absoluto", "Absolute value"),
    ("absent", "1 si no hay ninguna serie", "1 where there is no series"),
    ("absent_over_time", "1 si en el rango no hubo muestras", "1 where the range has no samples"),
    ("acos", "Arco coseno, en radianes", "Arc cosine, in radians"),
    ("acosh", "Arco coseno hiperbólico", "Inverse hyperbolic cosine"),
    ("asin", "Arco seno, en radianes", "Arc sine, in radians"),
    ("asinh", "Arco seno hiperbólico", "Inverse hyperbolic sine"),
    ("atan", "Arco tangente, en radianes", "Arc tangent, in radians"),
    ("atanh", "Arco tangente hiperbólica", "Inverse hyperbolic tangent"),
    ("avg_over_time", "Media de las muestras del rango", "Mean of the range's samples"),
    ("ceil", "Redondea hacia arriba", "Rounds up"),
    ("changes", "Cuántas veces cambió el valor", "How often the value changed"),
    ("clamp", "Mantiene el valor entre dos límites", "Keeps the value between two bounds"),
    ("clamp_max", "Mantiene el valor por debajo de un máximo", "Keeps the value below a maximum"),
    ("clamp_min", "Mantiene el valor por encima de un mínimo", "Keeps the value above a minimum"),
    ("cos", "Coseno, de radianes", "Cosine, of radians"),
    ("cosh", "Coseno hiperbólico", "Hyperbolic cosine"),
    ("count_over_time", "Cuántas muestras tiene el rango", "How many samples the range has"),
    ("day_of_month", "Día del mes en UTC, 1 a 31", "Day of the month in UTC, 1 to 31"),
    ("day_of_week", "Día de la semana en UTC, 0 es domingo", "Day of the week in UTC, 0 is Sunday"),
    ("day_of_year", "Día del año en UTC, 1 a 366", "Day of the year in UTC, 1 to 366"),
    ("days_in_month", "Cuántos días tiene el mes", "How many days the month has"),
    ("deg", "De radianes a grados", "From radians to degrees"),
    ("delta", "Diferencia del primero al último valor (medidores)", "Difference from first to last value (gauges)"),
    ("deriv", "Pendiente por segundo (medidores)", "Slope per second (gauges)"),
    (
        "double_exponential_smoothing",
        "Valor suavizado con tendencia (medidores)",
        "Value smoothed with its trend (gauges)",
    ),
    ("end", "Hora final de la consulta", "End time of the query"),
    ("exp", "Exponencial", "Exponential"),
    ("first_over_time", "Primera muestra del rango", "First sample of the range"),
    ("floor", "Redondea hacia abajo", "Rounds down"),
    ("histogram_avg", "Media de lo observado (histogramas nativos)", "Mean of what was observed (native histograms)"),
    ("histogram_count", "Cuántas observaciones (histogramas nativos)", "How many observations (native histograms)"),
    ("histogram_fraction", "Parte de lo observado entre dos valores", "Share of what was observed between two values"),
    (
        "histogram_quantile",
        "Cuantil de un histograma: 0.99 es el percentil 99",
        "Quantile of a histogram: 0.99 is the 99th percentile",
    ),
    ("histogram_quantiles", "Varios cuantiles de un histograma a la vez", "Several quantiles of a histogram at once"),
    ("histogram_stddev", "Desviación típica de lo observado", "Standard deviation of what was observed"),
    ("histogram_stdvar", "Varianza de lo observado", "Variance of what was observed"),
    ("histogram_sum", "Suma de lo observado (histogramas nativos)", "Sum of what was observed (native histograms)"),
    ("hour", "Hora del día en UTC, 0 a 23", "Hour of the day in UTC, 0 to 23"),
    ("idelta", "Diferencia de las dos últimas muestras (medidores)", "Difference of the last two samples (gauges)"),
    ("increase", "Cuánto creció el contador en el rango", "How much the counter grew in the range"),
    ("info", "Añade etiquetas de métricas de información", "Adds labels of info metrics"),
    (
        "integral",
        "Área bajo las muestras del rango: valor por segundos",
        "Area below the samples of the range: value times seconds",
    ),
    (
        "irate",
        "Ritmo por segundo de las dos últimas muestras (contadores)",
        "Rate per second of the last two samples (counters)",
    ),
    ("label_join", "Une etiquetas en una nueva", "Joins labels into a new one"),
    ("label_replace", "Escribe una etiqueta por expresión regular", "Writes a label by a regular expression"),
    ("last_over_time", "Última muestra del rango", "Last sample of the range"),
    ("ln", "Logaritmo natural", "Natural logarithm"),
    ("log10", "Logaritmo decimal", "Decimal logarithm"),
    ("log2", "Logaritmo en base 2", "Logarithm to base 2"),
    ("mad_over_time", "Desviación absoluta mediana del rango", "Median absolute deviation of the range"),
    ("max_of", "El mayor de varios números", "The largest of several numbers"),
    ("max_over_time", "Máximo del rango", "Maximum of the range"),
    ("min_of", "El menor de varios números", "The smallest of several numbers"),
    ("min_over_time", "Mínimo del rango", "Minimum of the range"),
    ("minute", "Minuto de la hora en UTC", "Minute of the hour in UTC"),
    ("month", "Mes del año en UTC, 1 a 12", "Month of the year in UTC, 1 to 12"),
    ("pi", "El número pi", "The number pi"),
    (
        "predict_linear",
        "Valor dentro de tantos segundos, en línea recta",
        "Value in so many seconds, along a straight line",
    ),
    ("present_over_time", "1 si en el rango hubo muestras", "1 where the range has samples"),
    ("quantile_over_time", "Cuantil de las muestras del rango", "Quantile of the range's samples"),
    ("rad", "De grados a radianes", "From degrees to radians"),
    ("range", "Duración de la consulta, en segundos", "Length of the query, in seconds"),
    ("rate", "Ritmo por segundo del contador en el rango", "Rate per second of the counter over the range"),
    ("resets", "Cuántas veces volvió a empezar el contador", "How often the counter began anew"),
    ("round", "Redondea al múltiplo más cercano", "Rounds to the nearest multiple"),
    ("scalar", "El valor de la única serie", "The value of the only series"),
    ("sgn", "Signo: −1, 0 o 1", "Sign: −1, 0 or 1"),
    ("sin", "Seno, de radianes", "Sine, of radians"),
    ("sinh", "Seno hiperbólico", "Hyperbolic sine"),
    ("sort", "Ordena por valor, de menor a mayor", "Sorts by value, rising"),
    ("sort_by_label", "Ordena por etiquetas", "Sorts by labels"),
    ("sort_by_label_desc", "Ordena por etiquetas, al revés", "Sorts by labels, reversed"),
    ("sort_desc", "Ordena por valor, de mayor a menor", "Sorts by value, falling"),
    ("sqrt", "Raíz cuadrada", "Square root"),
    ("start", "Hora inicial de la consulta", "Start time of the query"),
    ("start_timestamp", "Cuándo empezó el contador", "When the counter began"),
    ("stddev_over_time", "Desviación típica del rango", "Standard deviation of the range"),
    ("stdvar_over_time", "Varianza del rango", "Variance of the range"),
    ("step", "Paso de la consulta, en segundos", "Step of the query, in seconds"),
    ("sum_over_time", "Suma de las muestras del rango", "Sum of the range's samples"),
    ("tan", "Tangente, de radianes", "Tangent, of radians"),
    ("tanh", "Tangente hiperbólica", "Hyperbolic tangent"),
    ("time", "Hora de la evaluación, en segundos", "Time of the evaluation, in seconds"),
    ("timestamp", "Hora de cada muestra, en segundos", "Time of each sample, in seconds"),
    ("ts_of_first_over_time", "Hora de la primera muestra del rango", "Time of the range's first sample"),
    ("ts_of_last_over_time", "Hora de la última muestra del rango", "Time of the range's last sample"),
    ("ts_of_max_over_time", "Hora del máximo del rango", "Time of the range's maximum"),
    ("ts_of_min_over_time", "Hora del mínimo del rango", "Time of the range's minimum"),
    ("vector", "Un número como vector sin etiquetas", "A number as a vector without labels"),
    ("year", "Año en UTC", "Year in UTC"),
];

/// Aggregations, by name.
const AGGREGATIONS: &[Help] = &[
    ("sum", "Suma de las series de cada grupo", "Sum of each group's series"),
    ("avg", "Media de las series de cada grupo", "Mean of each group's series"),
    ("min", "Mínimo de cada grupo", "Minimum of each group"),
    ("max", "Máximo de cada grupo", "Maximum of each group"),
    ("count", "Cuántas series tiene cada grupo", "How many series each group has"),
    ("group", "1 por cada grupo que hay", "1 for each group there is"),
    ("stddev", "Desviación típica de cada grupo", "Standard deviation of each group"),
    ("stdvar", "Varianza de cada grupo", "Variance of each group"),
    ("topk", "Las k series mayores", "The k largest series"),
    ("bottomk", "Las k series menores", "The k smallest series"),
    ("quantile", "Cuantil de las series de cada grupo", "Quantile of each group's series"),
    ("count_values", "Cuántas series tienen cada valor", "How many series have each value"),
    ("limitk", "k series cualesquiera", "Any k series"),
    ("limit_ratio", "Una parte de las series", "A share of the series"),
];

/// Keywords.
const KEYWORDS: &[Help] = &[
    ("and", "Series de la izquierda que también están a la derecha", "Series of the left that are on the right too"),
    (
        "anchored",
        "La muestra anterior al rango cuenta como la primera",
        "The sample before the range counts as its first",
    ),
    ("atan2", "Arco tangente de dos valores", "Arc tangent of two values"),
    ("bool", "La comparación da 0 o 1 en vez de filtrar", "The comparison gives 0 or 1 instead of filtering"),
    ("by", "Etiquetas por las que se agrupa", "Labels to group by"),
    ("fill", "Valor para el lado que falta", "Value for the side that is missing"),
    (
        "group_left",
        "Varias series a la izquierda por cada una a la derecha",
        "Many series on the left for one on the right",
    ),
    (
        "group_right",
        "Varias series a la derecha por cada una a la izquierda",
        "Many series on the right for one on the left",
    ),
    ("ignoring", "Empareja sin mirar estas etiquetas", "Pairs without regard to these labels"),
    ("offset", "Mira atrás tanto tiempo", "Looks back so much time"),
    ("on", "Empareja por estas etiquetas", "Pairs by these labels"),
    (
        "or",
        "Lo de la izquierda, y lo que falte de la derecha",
        "What is on the left, and what is missing from the right",
    ),
    ("smoothed", "Interpola en los extremos del rango", "Interpolates at the range's ends"),
    ("unless", "Series de la izquierda que no están a la derecha", "Series of the left that are not on the right"),
    ("without", "Etiquetas que se dejan fuera al agrupar", "Labels left out when grouping"),
];

/// All words in a language.
pub fn words(language: Language) -> Vec<Word> {
    let help = |h: &Help| language.pick(h.1, h.2);
    let functions = decide_promql::functions().iter().map(|f| Word {
        name: f.name,
        kind: "function",
        signature: f.signature(),
        help: FUNCTIONS.iter().find(|h| h.0 == f.name).map(help).unwrap_or_default(),
    });
    let aggregations = AGGREGATIONS.iter().map(|h| {
        let param = AggregateOp::named(h.0).and_then(AggregateOp::param);
        let param = param.map(|p| format!("{}, ", p.describe())).unwrap_or_default();
        Word { name: h.0, kind: "aggregation", signature: format!("{}({param}instant vector)", h.0), help: help(h) }
    });
    let keywords =
        KEYWORDS.iter().map(|h| Word { name: h.0, kind: "keyword", signature: String::new(), help: help(h) });
    functions.chain(aggregations).chain(keywords).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_and_aggregation_has_its_line_in_both_languages() {
        for language in [Language::Es, Language::En] {
            for word in words(language) {
                assert!(!word.help.is_empty(), "{} has no help", word.name);
            }
        }
        for help in FUNCTIONS {
            assert!(decide_promql::functions().iter().any(|f| f.name == help.0), "{} is no function", help.0);
        }
        for (name, _) in AggregateOp::ALL {
            assert!(AGGREGATIONS.iter().any(|h| h.0 == *name), "{name} has no help");
        }
    }
}

//! Texts of the measures of success. Pure.

super::texts! {
    /// The measures of success.
    Kpis {
        title: "Indicadores", "Measures of success";
        nav: "Indicadores", "KPIs";
        none: "El plan no define indicadores que usted pueda ver.", "The plan defines no measures of success that you may see.";
        period: "Período", "Period";
        measure: "Cómo se mide", "How it is measured";
        target: "Objetivo", "Target";
        warning: "Advertencia", "Warning";
        critical: "Crítico", "Critical";
        tracked: "Sin objetivo: solo se sigue.", "Without a target: only tracked.";
        met: "Se cumple", "Met";
        met_with_warning: "Se cumple, con advertencia", "Met, with a warning";
        missed: "No se cumple", "Missed";
        is_warning: "Advertencia", "Warning";
        is_critical: "Crítico", "Critical";
        no_value: "Sin medida", "Not measured";
        by_day: "Por día", "By day";
        by_week: "Por semana", "By week";
        by_month: "Por mes", "By month";
        by_quarter: "Por trimestre", "By quarter";
        by_year: "Por año", "By year";
        week_of: "Semana del", "Week of";
    }
}

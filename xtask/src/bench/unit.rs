//! Units, and which way is better in each.

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    NanosPerOperation,
    RequestsPerSecond,
    MicrosPerRequest,
}

impl Unit {
    pub(super) fn name(self) -> &'static str {
        match self {
            Unit::NanosPerOperation => "ns/op",
            Unit::RequestsPerSecond => "req/s",
            Unit::MicrosPerRequest => "µs/req",
        }
    }

    pub(super) fn higher_is_better(self) -> bool {
        self == Unit::RequestsPerSecond
    }

    /// The better one of `values`.
    pub(super) fn best<T>(self, values: impl Iterator<Item = (T, f64)>) -> Option<(T, f64)> {
        if self.higher_is_better() {
            values.max_by(|a, b| a.1.total_cmp(&b.1))
        } else {
            values.min_by(|a, b| a.1.total_cmp(&b.1))
        }
    }

    /// The figure with as many digits as mean something.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Unit::NanosPerOperation if value >= 100.0 => format!("{value:.0}"),
            Unit::NanosPerOperation => format!("{value:.1}"),
            Unit::RequestsPerSecond if value >= 10_000.0 => format!("{:.1} k", value / 1000.0),
            Unit::RequestsPerSecond => format!("{value:.0}"),
            Unit::MicrosPerRequest if value >= 100.0 => format!("{value:.0}"),
            Unit::MicrosPerRequest => format!("{value:.2}"),
        }
    }
}

//! Units, and which way is better in each.

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    NanosPerOperation,
    RequestsPerSecond,
    MicrosPerRequest,
    Micros,
    Bytes,
    SwitchesPerSecond,
}

impl Unit {
    const ALL: [Unit; 6] = [
        Unit::NanosPerOperation,
        Unit::RequestsPerSecond,
        Unit::MicrosPerRequest,
        Unit::Micros,
        Unit::Bytes,
        Unit::SwitchesPerSecond,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Unit::NanosPerOperation => "ns/op",
            Unit::RequestsPerSecond => "req/s",
            Unit::MicrosPerRequest => "µs/req",
            Unit::Micros => "µs",
            Unit::Bytes => "bytes",
            Unit::SwitchesPerSecond => "switches/s",
        }
    }

    /// The unit of that name.
    pub(super) fn named(name: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| unit.name() == name)
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
            Unit::RequestsPerSecond if value >= 10_000.0 => format!("{:.1} k", value / 1000.0),
            Unit::RequestsPerSecond | Unit::Bytes => format!("{value:.0}"),
            Unit::MicrosPerRequest if value < 100.0 => format!("{value:.2}"),
            _ if value < 100.0 => format!("{value:.1}"),
            _ => format!("{value:.0}"),
        }
    }
}

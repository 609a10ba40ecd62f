//! Which names a client may use.

use std::fmt;

/// Uploads in progress begin with this. A name may not begin with a dot, so nobody can ask for one.
pub(crate) const TEMPORARY: &str = ".upload-";

/// The longest name that the common file systems take.
const LONGEST: usize = 255;

/// The name of a file directly inside the served directory: there is no way from it to anywhere else.
///
/// One to 255 bytes of UTF-8, no slash of either kind, no control character, no dot in front. `..` has a dot in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// Takes a name that is decoded already, as it would be given to the file system.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let fits = (1..=LONGEST).contains(&text.len());
        let plain = !text.starts_with('.') && !text.contains(|c: char| matches!(c, '/' | '\\') || c.is_control());
        (fits && plain).then(|| Name(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it stands in a link.
    pub(crate) fn percent_encoded(&self) -> String {
        let mut link = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => link.push(byte.into()),
                _ => link.push_str(&format!("%{byte:02X}")),
            }
        }
        link
    }
}

impl fmt::Display for Name {
    /// Writes the name as it stands in HTML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

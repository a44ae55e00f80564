//! What a request's head has besides its host and its user.

use super::edited;

/// How long it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// Two fields, as load generators send it: the least that a proxy can be asked.
    #[default]
    Least,
    /// Fourteen fields, as Firefox sends it for a script's `fetch` with a session.
    Browser,
}

const BROWSER: &str = "\
user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
accept: application/json\r\n\
accept-language: en-US,en;q=0.5\r\n\
accept-encoding: gzip, deflate, br, zstd\r\n\
referer: https://bench.example/profile\r\n\
authorization: Bearer 7f9c1b8e5a304c2d9e6f0a1b2c3d4e5f\r\n\
cookie: session=5f0f3c3a1d6f4a0c9a53c1f4d1c1f7b2; theme=dark\r\n\
sec-fetch-dest: empty\r\n\
sec-fetch-mode: cors\r\n\
sec-fetch-site: same-origin\r\n\
priority: u=4\r\n\
cache-control: no-cache\r\n";

impl Head {
    /// Its lines after host and user; `edited`: with the one that a proxy is to write anew.
    pub(super) fn more(self, edited: bool) -> String {
        let own = match self {
            Self::Least => "",
            Self::Browser => BROWSER,
        };
        let edited = if edited {
            format!("{}: {}\r\n", edited::NAME, edited::CLIENTS)
        } else {
            String::new()
        };
        format!("{own}{edited}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_field() {
        assert_eq!(Head::Least.more(false), "");
        for (head, fields) in [(Head::Least, 1), (Head::Browser, 13)] {
            let more = head.more(true);
            let lines: Vec<&str> =
                more.strip_suffix("\r\n").expect("an end").split("\r\n").collect();
            assert_eq!(lines.len(), fields);
            assert!(
                lines
                    .iter()
                    .all(|line| line.split_once(": ").is_some_and(|(_, text)| !text.is_empty()))
            );
        }
    }
}

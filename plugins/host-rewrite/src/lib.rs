//! Lets a service that knows only its own host name stand behind another one.
//!
//! On the way in `Host` becomes the upstream's; on the way out `Location` and the `Domain` of `Set-Cookie`
//! become the public host's again. Configuration:
//! `{"upstream": "profile.internal:9002", "public": "www.example.com", "scheme": "https", "backend": "new"}`.
//! Without `public` it is the host that the client asked for, with its port; without `scheme` the upstream's stays.
//! An upstream without a port is also meant by its scheme's usual one: `http://profile.internal:80/` is ours.

use cutover_plugin::{Backend, Edits, Environment, Field, Header, Manifest, Plugin, Rewrite, View};
use serde::Deserialize;

/// What an operator writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Host of the service, with its port if it needs one.
    upstream: String,
    /// Host that clients know.
    public: Option<String>,
    /// Scheme that clients use.
    scheme: Option<String>,
    /// The backend whose requests and replies are rewritten.
    #[serde(default = "default_backend")]
    backend: String,
}

fn default_backend() -> String {
    "new".to_owned()
}

struct HostRewrite {
    upstream: String,
    public: Option<String>,
    scheme: Option<String>,
    backend: Backend,
    /// With the port.
    host: Field,
    /// Without the port.
    asked: Field,
    location: Field,
    cookies: Field,
    host_out: Header,
    location_out: Header,
    cookies_out: Header,
}

impl Plugin for HostRewrite {
    fn configure(environment: &Environment, manifest: &mut Manifest) -> Result<Self, String> {
        let config: Config =
            serde_json::from_str(&environment.config).map_err(|e| e.to_string())?;
        let Config { upstream, public, scheme, backend } = config;
        for host in [Some(&upstream), public.as_ref()].into_iter().flatten() {
            if host.is_empty() || host.contains(['/', ' ']) {
                return Err(format!("`{host}` is not a host: write it without scheme and path"));
            }
        }
        if scheme.as_ref().is_some_and(|scheme| scheme != "http" && scheme != "https") {
            return Err("`scheme` is `http` or `https`".to_owned());
        }
        let backend = environment.backend(&backend).ok_or_else(|| {
            format!("no backend is called `{backend}` here: {}", environment.backends.join(", "))
        })?;
        Ok(Self {
            upstream,
            public,
            scheme,
            backend,
            host: manifest.header("host"),
            asked: manifest.host(),
            location: manifest.reply_header("location"),
            cookies: manifest.reply_header("set-cookie"),
            host_out: manifest.edits("host"),
            location_out: manifest.edits("location"),
            cookies_out: manifest.edits("set-cookie"),
        })
    }
}

impl Rewrite for HostRewrite {
    fn on_request(&self, _: &View<'_>, backend: Backend, edits: &mut Edits<'_>) {
        if backend == self.backend {
            edits.set(self.host_out, &self.upstream);
        }
    }

    fn on_response(&self, view: &View<'_>, backend: Backend, _: u16, edits: &mut Edits<'_>) {
        // A value that was cut must not be written back: a wrong domain is better than half a cookie.
        if backend != self.backend || view.traits().truncated {
            return;
        }
        let asked = || view.get(self.host).or_else(|| view.get(self.asked));
        let Some(public) = self.public.as_deref().or_else(asked) else { return };
        if let Some(location) = view.get(self.location).and_then(|url| self.outside(url, public)) {
            edits.set(self.location_out, location);
        }
        if let Some(cookies) = view.get(self.cookies) {
            self.rewrite_cookies(cookies, public, edits);
        }
    }
}

impl HostRewrite {
    /// The location under the public host, if it points to the upstream.
    fn outside(&self, url: &str, public: &str) -> Option<String> {
        let (scheme, rest) = url.split_once("//")?;
        if !matches!(scheme, "" | "http:" | "https:") {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let usual_port = match scheme {
            "https:" => ":443",
            _ => ":80",
        };
        let host = host.strip_suffix(usual_port).unwrap_or(host);
        let upstream = self.upstream.strip_suffix(usual_port).unwrap_or(&self.upstream);
        if !host.eq_ignore_ascii_case(upstream) && !host.eq_ignore_ascii_case(name(upstream)) {
            return None;
        }
        Some(match (&self.scheme, scheme) {
            (Some(wanted), "http:" | "https:") => format!("{wanted}://{public}{path}"),
            _ => format!("{scheme}//{public}{path}"),
        })
    }

    /// Writes all cookies again if the domain of one must change.
    fn rewrite_cookies(&self, cookies: &str, public: &str, edits: &mut Edits<'_>) {
        let changed: Vec<Option<String>> =
            cookies.split('\n').map(|cookie| self.with_public_domain(cookie, public)).collect();
        if changed.iter().all(Option::is_none) {
            return;
        }
        edits.remove(self.cookies_out);
        for (cookie, changed) in cookies.split('\n').zip(&changed) {
            edits.append(self.cookies_out, changed.as_deref().unwrap_or(cookie));
        }
    }

    /// The cookie with the public domain, if its domain is the upstream's or one above it.
    fn with_public_domain(&self, cookie: &str, public: &str) -> Option<String> {
        let is_ours = |part: &str| {
            let (key, domain) = part.split_once('=')?;
            let domain = domain.trim().trim_start_matches('.');
            let ours =
                key.trim().eq_ignore_ascii_case("domain") && covers(domain, name(&self.upstream));
            ours.then_some(())
        };
        // The first part is the cookie's own name and value.
        let parts = || cookie.split(';').skip(1);
        parts().find_map(is_ours)?;
        let mut text = cookie.split(';').next().unwrap_or_default().to_owned();
        for part in parts() {
            text.push(';');
            match is_ours(part) {
                Some(()) => {
                    text.push_str(" Domain=");
                    text.push_str(name(public));
                }
                None => text.push_str(part),
            }
        }
        Some(text)
    }
}

/// Is the host this domain, or below it?
fn covers(domain: &str, host: &str) -> bool {
    let Some(start) = host.len().checked_sub(domain.len()) else { return false };
    let same = host.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(domain));
    same && !domain.is_empty() && (start == 0 || host.as_bytes()[start - 1] == b'.')
}

/// The host without its port.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

cutover_plugin::export!(HostRewrite: rewrite);

#[cfg(test)]
mod tests;

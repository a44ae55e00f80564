//! Listening sockets: bound before anything else starts, so that a port in use is an error a person sees at once.
//!
//! Pingora binds for itself, retries for half a minute and then panics, and does not say which port the kernel chose.
//! So the sockets are bound here, or taken over from the process that is being replaced, and lent to Pingora by number.

use cutover::config::{Listen, ListenTls};
use pingora::listeners::Listeners;
use pingora::listeners::tls::TlsSettings;
use pingora::server::{Fds, ListenFds};
use pingora::tls::{ServerConfig, install_default_crypto_provider, load_certs_and_key_files};
use std::collections::HashSet;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::path::Path;
use std::sync::Arc;

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Somebody else listens there.
    #[error(
        "{address}: address already in use; stop the other process (`ss -ltnp` names it) or \
         change {setting}"
    )]
    InUse {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
    },
    /// Not allowed, not ours, or no sockets left.
    #[error("{address}: cannot listen: {error}; change {setting}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// A certificate or key that cannot be used.
    #[error("server.listen: {file}: {what}; give a PEM file that this process may read")]
    Certificate {
        /// The file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
}

/// Sockets of this process, under the address each listens on.
#[derive(Clone)]
pub struct Sockets(ListenFds);

impl Sockets {
    /// None yet.
    pub fn none() -> Self {
        Self(Arc::new(Fds::new().into()))
    }

    /// Those that another process handed over.
    pub fn inherited(fds: Fds) -> Self {
        Self(Arc::new(fds.into()))
    }

    /// For Pingora.
    pub fn fds(&self) -> ListenFds {
        Arc::clone(&self.0)
    }

    /// Listens, unless a socket for this address was handed over. Answers with the address the kernel chose.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn listen(
        &self,
        address: SocketAddr,
        setting: &'static str,
    ) -> Result<SocketAddr, ListenError> {
        if self.0.lock().get(&address.to_string()).is_some() {
            return Ok(address);
        }
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        });
        let (chosen, listener) = bound.map_err(|error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                ListenError::InUse { address, setting }
            } else {
                ListenError::Bind { address, setting, error }
            }
        })?;
        self.0.lock().add(chosen.to_string(), listener.into_raw_fd());
        Ok(chosen)
    }

    /// Closes sockets that were handed over and that nobody wants any more.
    pub fn close_all_but(&self, wanted: impl IntoIterator<Item = SocketAddr>) -> Vec<String> {
        let wanted: HashSet<String> =
            wanted.into_iter().map(|address| address.to_string()).collect();
        self.0.lock().close_unclaimed(&wanted)
    }
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.lock().serialize().0).finish()
    }
}

/// The data listeners, each with the address it really has.
///
/// # Errors
/// If a certificate cannot be used.
pub fn data_listeners(
    listens: &[Listen],
    addresses: &[SocketAddr],
) -> Result<Listeners, ListenError> {
    let mut listeners = Listeners::new();
    for (listen, address) in listens.iter().zip(addresses) {
        match &listen.tls {
            None => listeners.add_tcp(&address.to_string()),
            Some(files) => {
                let settings = tls_settings(files)?;
                listeners.add_tls_with_settings(&address.to_string(), None, settings);
            }
        }
    }
    Ok(listeners)
}

/// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN. Pingora panics on bad files, so they are tried first.
fn tls_settings(files: &ListenTls) -> Result<TlsSettings, ListenError> {
    let (cert, key) = (files.cert.display().to_string(), files.key.display().to_string());
    let refused =
        |file: &str, what: String| ListenError::Certificate { file: file.to_owned(), what };
    for path in [&files.cert, &files.key] {
        readable(path).map_err(|error| refused(&path.display().to_string(), error.to_string()))?;
    }
    let loaded =
        load_certs_and_key_files(&cert, &key).map_err(|error| refused(&cert, error.to_string()))?;
    let (chain, private) =
        loaded.ok_or_else(|| refused(&cert, format!("no certificate, or no key in {key}")))?;
    install_default_crypto_provider();
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| refused(&cert, format!("does not go with the key in {key}: {error}")))?;
    let mut settings = TlsSettings::intermediate(&cert, &key)
        .map_err(|error| refused(&cert, error.to_string()))?;
    settings.enable_h2();
    Ok(settings)
}

fn readable(path: &Path) -> io::Result<()> {
    std::fs::File::open(path).map(drop)
}

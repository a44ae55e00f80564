//! What stays up after a story, for a person to ask, until Ctrl-C.

use super::proxy::Proxy;
use super::screen::Screen;
use super::stage::Stage;

/// Says what can be tried, and waits. Nothing may follow but the end: from here on Ctrl-C is heard here alone.
pub(super) async fn stay(screen: &Screen, stage: &Stage, proxy: &Proxy) {
    screen.line("");
    screen.line("Still up; try, from another terminal:");
    screen.line(&format!(
        "   curl -i -H 'x-user-id: user-7' http://{}/api/profile/7",
        proxy.address()
    ));
    screen.line(&format!(
        "   cutover explain 'GET /api/profile/7' -H 'x-user-id: user-7' -c {}",
        stage.config().display()
    ));
    screen.line(&format!("   cutover status --admin http://{}", proxy.admin()));
    screen.line(&format!("   curl http://{}/metrics", proxy.admin()));
    screen.line("Ctrl-C ends it.");
    // Without a way to hear Ctrl-C the default action ends the process just the same.
    let _ = tokio::signal::ctrl_c().await;
}

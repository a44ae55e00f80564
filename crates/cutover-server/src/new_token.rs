//! `cutover token new`: a token for one person, and the lines by which the configuration knows it.

use crate::args::{NewToken, Output};
use crate::exit::{Exit, print, say};
use cutover::config::AdminToken;
use cutover_server::token::Token;
use serde_json::json;

pub(crate) fn new_token(args: &NewToken) -> Exit {
    if let Some((what, help)) = AdminToken::name_fault(&args.name) {
        say(format_args!("error: --name {:?}: {what}; {help}", args.name));
        return Exit::Usage;
    }
    let token = match Token::random() {
        Ok(token) => token,
        Err(error) => {
            say(format_args!("error: the system gives no randomness: {error}"));
            return Exit::Failed;
        }
    };
    let (name, role, hash) = (&*args.name, args.role.name(), token.hash().to_string());
    match args.output {
        Output::Text => print(shown(name, role, &token, &hash)),
        Output::Json => print(format_args!(
            "{:#}",
            json!({ "name": name, "role": role, "token": token.reveal(), "hash": hash })
        )),
    }
    Exit::Done
}

fn shown(name: &str, role: &str, token: &Token, hash: &str) -> String {
    // JSON's quoting is one of TOML's.
    let name_quoted = json!(name);
    let token = token.reveal();
    format!(
        "The token. It is shown only now, and cutover keeps it nowhere:\n\n{token}\n\n\
         For the end of the configuration:\n\n[[admin.tokens]]\nname = {name_quoted}\n\
         role = \"{role}\"\nhash = \"{hash}\"\n\n\
         next: reload; {name} then puts the token into a file that nobody else can read,\n      \
         and gives --token-file, or sets CUTOVER_TOKEN"
    )
}

//! The settings as this process finds them: its environment, over an `.env` file beside it.

use std::collections::HashMap;

use twinlane_gateway::Invalid;

/// Reads both. What is set in the environment goes before what is in the file.
///
/// # Errors
/// [`Invalid`] where there is an `.env` file that cannot be read; its contents are not repeated.
pub(crate) fn read() -> Result<HashMap<String, String>, Invalid> {
    let mut vars = HashMap::new();
    let unreadable = || Invalid(vec![".env: cannot be read as NAME=value lines".to_owned()]);
    match dotenvy::from_path_iter(".env") {
        Ok(lines) => {
            for line in lines {
                let (name, value) = line.map_err(|_| unreadable())?;
                vars.insert(name, value);
            }
        }
        Err(error) if error.not_found() => {}
        Err(_) => return Err(unreadable()),
    }
    vars.extend(environment());
    Ok(vars)
}

/// Variables that are not text are no settings of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

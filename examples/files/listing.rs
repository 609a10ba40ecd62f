//! The page that lists the files.

use std::fmt::Write;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tiny_coro::http::Response;
use tiny_coro::spawn_blocking;

use crate::name::Name;

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>files</title>\
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}\
td:last-child{text-align:right;padding-left:2rem}:root{color-scheme:light dark}</style><h1>Files</h1><table>\n";

/// Lists the files that can be asked for, by name.
pub(crate) async fn page(directory: Arc<PathBuf>) -> io::Result<Response> {
    // A directory is read entry by entry: one trip to the blocking pool for all of them.
    let files = spawn_blocking(move || read(&directory)).await.map_err(io::Error::other)??;
    let mut page = HEAD.to_owned();
    for (name, length) in files {
        let link = name.percent_encoded();
        let _ = writeln!(page, "<tr><td><a href=\"/files/{link}\">{name}</a><td>{length}");
    }
    page.push_str("</table></html>\n");
    Ok(Response::html(page))
}

fn read(directory: &PathBuf) -> io::Result<Vec<(Name, u64)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(Name::new) else { continue };
        // Gone since the directory was read: then it isn't listed.
        if let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            files.push((name, metadata.len()));
        }
    }
    files.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
    Ok(files)
}

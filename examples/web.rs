//! An HTTP server: a page, plain text, JSON, an echo of the request's body, and a path parameter.
//!
//! ```text
//! cargo run --release --example web
//! curl http://127.0.0.1:8080/hello/you
//! ```

use std::process::ExitCode;

use tiny_coro::http::{Config, Request, Response, Router, Server, Status};
use tiny_coro_examples::{GRACE, cli, run_until_stopped};

const USAGE: &str = "
Serves a page, plain text, JSON, an echo and a greeting.

Usage: web [--addr 127.0.0.1:8080] [--workers N]

  --addr ADDRESS   where to listen
  --workers N      how many worker threads; one a core unless given";

const PAGE: &str = include_str!("web.html");

async fn page(_: Request) -> Response {
    Response::html(PAGE)
}

async fn plaintext(_: Request) -> Response {
    Response::text("Hello, World!")
}

async fn json(_: Request) -> Response {
    Response::json_bytes(r#"{"message":"Hello, World!"}"#)
}

/// The body goes back as it comes: however large it is, this holds one piece of it. One that turns out to be broken breaks the
/// answer off.
async fn echo(request: Request) -> Response {
    let kind = request.headers().get("content-type").unwrap_or("application/octet-stream").to_owned();
    Response::new(request.into_body()).header("content-type", kind)
}

/// Plain text: a browser shows a name that is a script, and doesn't run it.
async fn hello(request: Request) -> Response {
    match request.param_decoded("name") {
        Some(name) => Response::text(format!("Hello, {name}!\n")).header("x-content-type-options", "nosniff"),
        None => Response::text("the name is not UTF-8\n").with_status(Status::BAD_REQUEST),
    }
}

fn main() -> ExitCode {
    let options = cli::Server::on_port(8080).parse(USAGE);
    run_until_stopped(options.workers, |stop| async move {
        let router = Router::new()
            .get("/", page)
            .get("/plaintext", plaintext)
            .get("/json", json)
            .post("/echo", echo)
            .get("/hello/{name}", hello);
        let server = Server::bind(options.address).await?.config(Config::new().shutdown_timeout(GRACE));
        let base = format!("http://{}", server.local_addr()?);
        println!("web listens on {base}/");
        println!("  GET  {base}/              a page");
        println!("  GET  {base}/plaintext     Hello, World!");
        println!("  GET  {base}/json          the same as JSON");
        println!("  POST {base}/echo          the body that was sent");
        println!("  GET  {base}/hello/{{name}}  a greeting");
        tiny_coro::spawn(server.with_graceful_shutdown(stop).serve(router)).await??;
        Ok(())
    })
}

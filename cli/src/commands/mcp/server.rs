//! What a client of the protocol asks, handed on to prompts and tools.
//!
//! Standard output belongs to the protocol: nothing here or below prints, and what a person may want to know is noted
//! on standard error.
//! A question that a client takes back is worked on to its end, so that no change is cut in the middle; `rmcp` drops the
//! answer.

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, ErrorCode,
        GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig,
    },
    serve_server,
    service::{QuitReason, RequestContext, ServerInitializeError},
    transport::stdio_pipes,
};

use super::{
    prompts,
    tools::{self, Held},
};
use crate::{
    failure::{Failure, Result},
    session::Session,
};

const INSTRUCTIONS: &str = "\
Cuecard is a registry of prompts. A version of a prompt is written once, evaluated, and then promoted to environments; \
`production` is what users get. Prompts are named `team/name`. A version is named by its number or id, by `newest`, or \
by an environment where it is live.";

/// What is served, until the client closes its end.
pub struct Server {
    session: Session,
    /// Where prompts are resolved.
    environment: String,
    tools: Vec<Held>,
}

impl Server {
    pub fn new(session: Session, environment: String) -> Self {
        Self { session, environment, tools: tools::all() }
    }

    pub async fn run(self) -> Result {
        let running = match serve_server(self, stdio_pipes()).await {
            Ok(running) => running,
            // It was only looked whether the program starts.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(Failure::Usage(format!("This is no MCP client: {error}"))),
        };
        match running.waiting().await {
            Ok(QuitReason::JoinError(error)) | Err(error) => Err(Failure::Failed(error.to_string())),
            Ok(_) => Ok(()),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let offered = ServerCapabilities::builder().enable_prompts().enable_tools().build();
        let ours = Implementation::new("cuecard", env!("CARGO_PKG_VERSION")).with_title("Cuecard");
        ServerConfig::new(offered).with_server_info(ours).with_instructions(INSTRUCTIONS)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let cursor = request.and_then(|page| page.cursor);
        let page = prompts::list(&self.session, &self.environment, cursor.as_deref()).await;
        page.map_err(|failure| refusal(&failure))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let prompt = prompts::get(&self.session, &self.environment, &request.name, arguments).await;
        prompt.map(Into::into).map_err(|failure| refusal(&failure))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.iter().map(|held| held.definition.clone()).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let held = self.tools.iter().find(|held| held.definition.name == request.name);
        let unknown = || ErrorData::invalid_params(format!("There is no tool `{}`", request.name), None);
        let held = held.ok_or_else(unknown)?;
        Ok(held.call(&self.session, request.arguments.unwrap_or_default()).await.into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        // A method that is served comes here when its parameters do not read.
        let served = ["prompts/get", "prompts/list", "tools/call", "tools/list"];
        Err(if served.contains(&request.method.as_str()) {
            ErrorData::invalid_params(format!("The parameters of {} do not read", request.method), None)
        } else {
            ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None)
        })
    }
}

/// Why there is no answer, as the protocol says it; the problem of the API goes with it.
fn refusal(failure: &Failure) -> ErrorData {
    let code = match failure.exit_code() {
        2 | 4 => ErrorCode::INVALID_PARAMS,
        3 | 5 | 6 => ErrorCode::INVALID_REQUEST,
        _ => ErrorCode::INTERNAL_ERROR,
    };
    let problem = failure.problem().and_then(|problem| serde_json::to_value(problem).ok());
    ErrorData::new(code, failure.chain(), problem)
}

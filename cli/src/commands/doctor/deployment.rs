//! A deployment, as AWS sees it: each thing of its stack.

use aws_sdk_elasticache::error::DisplayErrorContext;
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::Finding;
use crate::{
    aws::{Aws, Question, segment},
    failure::{Failure, Result},
};

/// How many things are looked at at once.
const AT_ONCE: usize = 8;

/// The version of the API of stacks.
const STACKS: &str = "2010-05-15";

/// A thing of the stack.
struct Thing {
    /// Its name in the template.
    name: String,
    kind: String,
    /// What AWS calls it.
    id: String,
    status: String,
}

/// Looks at everything of a stack.
pub async fn look(stack: &str, region: Option<String>, endpoint: Option<String>) -> Result<Vec<Finding>> {
    let aws = Aws::connect(region, endpoint).await?;
    let things = things_of(&aws, stack).await?;
    let looked = stream::iter(things).map(|thing| look_at(&aws, thing)).buffered(AT_ONCE);
    Ok(looked.collect::<Vec<_>>().await.into_iter().flatten().collect())
}

async fn things_of(aws: &Aws, stack: &str) -> Result<Vec<Thing>> {
    let (mut things, mut next) = (Vec::new(), None);
    loop {
        let page = next.map(|token: String| format!("&NextToken={}", segment(&token))).unwrap_or_default();
        let form = format!("Action=ListStackResources&Version={STACKS}&StackName={}{page}", segment(stack));
        let xml = aws.ask_for_text(Question::of_action("cloudformation", &form)).await?;
        for member in elements(&xml, "member") {
            let of = |tag: &str| element(member, tag).unwrap_or_default().to_owned();
            things.push(Thing {
                name: of("LogicalResourceId"),
                kind: of("ResourceType"),
                id: of("PhysicalResourceId"),
                status: of("ResourceStatus"),
            });
        }
        next = element(&xml, "NextToken").map(str::to_owned);
        if next.is_none() {
            return Ok(things);
        }
    }
}

/// What is known of a thing; nothing of kinds that only stand there.
async fn look_at(aws: &Aws, thing: Thing) -> Option<Finding> {
    let what = format!("{} {}", kind_of(&thing)?, thing.name);
    if !matches!(thing.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE") {
        let advice = "the stack is not deployed as a whole: see its events, then deploy again";
        return Some(Finding::ill(what, thing.status, advice));
    }
    let found = match thing.kind.as_str() {
        "AWS::DynamoDB::Table" => table(aws, &thing, &what).await,
        "AWS::SQS::Queue" => queue(aws, &thing, &what).await,
        "AWS::S3::Bucket" => bucket(aws, &thing, &what).await,
        "AWS::Lambda::Function" => function(aws, &thing, &what).await,
        "AWS::Lambda::EventSourceMapping" => source(aws, &thing, &what).await,
        _ => cache(aws, &thing, &what).await,
    };
    Some(found.unwrap_or_else(|failure: Failure| {
        let advice = "see whether it is there, and whether your AWS credentials may look at it";
        Finding::ill(&what, failure.to_string(), advice)
    }))
}

fn kind_of(thing: &Thing) -> Option<&'static str> {
    Some(match thing.kind.as_str() {
        "AWS::DynamoDB::Table" => "table",
        "AWS::SQS::Queue" => "queue",
        "AWS::S3::Bucket" => "bucket",
        "AWS::Lambda::Function" => "function",
        "AWS::Lambda::EventSourceMapping" => "event source",
        "AWS::ElastiCache::ServerlessCache" => "cache",
        _ => return None,
    })
}

async fn table(aws: &Aws, thing: &Thing, what: &str) -> Result<Finding> {
    let target = "DynamoDB_20120810.DescribeTable";
    let answer = aws.ask(Question::of_target("dynamodb", target, &json!({ "TableName": thing.id }))).await?;
    let table = &answer["Table"];
    let status = text(&table["TableStatus"]);
    let streams = table["StreamSpecification"]["StreamEnabled"] == true;
    let state = format!("{status}, stream {}", if streams { "on" } else { "off" });
    // The registry's stream is what starts evaluations and fills the archive.
    if thing.name == "Registry" && !streams {
        return Ok(Finding::ill(
            what,
            state,
            "turn its stream on (new and old images): nothing is evaluated without it",
        ));
    }
    Ok(match status {
        "ACTIVE" | "UPDATING" => Finding::well(what, state),
        _ => Finding::ill(
            what,
            state,
            "wait until it is ACTIVE; if it is being restored, see the DynamoDB console",
        ),
    })
}

async fn queue(aws: &Aws, thing: &Thing, what: &str) -> Result<Finding> {
    let ask = json!({ "QueueUrl": thing.id, "AttributeNames": ["All"] });
    let answer = aws.ask(Question::of_target("sqs", "AmazonSQS.GetQueueAttributes", &ask)).await?;
    let count = |name: &str| text(&answer["Attributes"][name]).parse::<u64>().unwrap_or_default();
    let (waiting, taken) =
        (count("ApproximateNumberOfMessages"), count("ApproximateNumberOfMessagesNotVisible"));
    let state = format!("{waiting} waiting, {taken} in work");
    Ok(if thing.name.contains("DeadLetter") && waiting + taken > 0 {
        let advice = "see why in the log of the function that reads the queue before it, then redrive them (SQS console)";
        Finding::ill(what, state, advice)
    } else {
        Finding::well(what, state)
    })
}

async fn bucket(aws: &Aws, thing: &Thing, what: &str) -> Result<Finding> {
    aws.ask_for_text(Question::new("s3", Method::HEAD, format!("/{}", segment(&thing.id)))).await?;
    Ok(Finding::well(what, "there"))
}

async fn function(aws: &Aws, thing: &Thing, what: &str) -> Result<Finding> {
    let path = format!("/2015-03-31/functions/{}/configuration", segment(&thing.id));
    let answer = aws.ask(Question::new("lambda", Method::GET, path)).await?;
    let (state, update) = (text(&answer["State"]), text(&answer["LastUpdateStatus"]));
    let reason =
        [&answer["StateReason"], &answer["LastUpdateStatusReason"]].into_iter().find_map(Value::as_str);
    let shown = format!("{state}, last update {update}");
    Ok(match (state, update) {
        ("Active" | "Inactive", "Successful") => Finding::well(what, shown),
        _ => Finding::ill(what, shown, reason.unwrap_or("deploy it again")),
    })
}

async fn source(aws: &Aws, thing: &Thing, what: &str) -> Result<Finding> {
    let path = format!("/2015-03-31/event-source-mappings/{}", segment(&thing.id));
    let answer = aws.ask(Question::new("lambda", Method::GET, path)).await?;
    let state = text(&answer["State"]);
    Ok(match state {
        "Enabled" | "Enabling" | "Updating" => Finding::well(what, state),
        _ => Finding::ill(what, state, "enable it: until then its queue or stream is not read"),
    })
}

async fn cache(aws: &Aws, thing: &Thing, what: &str) -> Result<Finding> {
    let client = aws_sdk_elasticache::Client::new(aws.settings());
    let answer = client.describe_serverless_caches().serverless_cache_name(&thing.id).send().await;
    let answer = answer.map_err(|error| {
        Failure::Unavailable(format!("AWS (elasticache) answered: {}", DisplayErrorContext(error)))
    })?;
    let status = answer.serverless_caches().iter().find_map(|cache| cache.status()).unwrap_or("unknown");
    Ok(match status {
        "available" | "modifying" => Finding::well(what, status),
        _ => Finding::ill(
            what,
            status,
            "resolving goes on from the tables, slower; see the ElastiCache console",
        ),
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What stands in each element of that name, in a document that does not nest it. Names and states of AWS hold nothing that
/// is escaped.
fn elements<'x>(xml: &'x str, tag: &str) -> Vec<&'x str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    xml.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).collect()
}

fn element<'x>(xml: &'x str, tag: &str) -> Option<&'x str> {
    elements(xml, tag).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_in_order() {
        let xml = "<a><member><Id>1</Id></member><member><Id>2</Id></member></a>";
        let ids: Vec<_> =
            elements(xml, "member").into_iter().filter_map(|member| element(member, "Id")).collect();
        assert_eq!(ids, ["1", "2"]);
        assert_eq!(element(xml, "NextToken"), None);
    }
}

//! The AWS deploy in the eyes of AWS's own tools. `scripts/test` installs them and runs these tests, which are left out of
//! a plain `cargo test`: the tools are 800 MB.

use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use twinlane_tests::process::root;

use crate::aws_deploy::{ARN, Deployed, LONG};

/// The Python of the folder in which `scripts/test` keeps AWS's tools.
fn python() -> PathBuf {
    std::env::var_os("TWINLANE_AWS_PYTHON")
        .expect("TWINLANE_AWS_PYTHON is not set: run ./scripts/test")
        .into()
}

/// What a script of `tests/deploy/aws` makes of its input.
async fn script(name: &str, input: &str) -> String {
    let mut command = tokio::process::Command::new(python());
    command.arg(root().join("tests/deploy/aws").join(name)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{name}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
#[ignore = "needs botocore; ./scripts/test runs it"]
async fn the_hop_is_signed_as_botocore_signs_it() {
    for function in [ARN, "twinlane-background", &format!("{ARN}:$LATEST")] {
        let deployed = Deployed::with(&[("BACKGROUND_FUNCTION", function)], &json!({}), LONG).await;
        deployed.embed().send().await;
        let asked = deployed.invocation();
        let header = |name: &str| asked.headers[name].to_str().unwrap();
        let question = json!({
            "method": "POST",
            "url": format!("http://{}{}", deployed.account.address, asked.path),
            "headers": { "content-type": header("content-type") },
            "body": base64::engine::general_purpose::STANDARD.encode(&asked.body),
            "access_key": "AKIDEXAMPLE", "secret_key": "secret/access+key", "token": "session/token==",
            "service": "lambda", "region": "eu-central-1", "time": header("x-amz-date"),
        });
        assert_eq!(script("signature.py", &question.to_string()).await.trim(), header("authorization"));
        assert_eq!(header("x-amz-security-token"), "session/token==");
    }
}

/// The CloudFormation of the template, as AWS will make it.
async fn cloudformation() -> Value {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    serde_json::from_str(&script("transform.py", &template).await).unwrap()
}

/// The resources of a kind, by name.
fn of_kind<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = template["Resources"].as_object().unwrap().iter();
    let found = resources.filter(|(_, resource)| resource["Type"] == kind);
    found.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect()
}

#[tokio::test]
#[ignore = "needs SAM; ./scripts/test runs it"]
async fn only_the_gateway_has_a_url_and_only_its_role_may_invoke_the_background() {
    let template = cloudformation().await;
    let urls = of_kind(&template, "AWS::Lambda::Url");
    assert_eq!(urls.len(), 1, "{urls:?}");
    assert_eq!(urls[0].1["TargetFunctionArn"], json!({ "Ref": "GatewayFunction" }));
    assert_eq!(
        (&urls[0].1["InvokeMode"], &urls[0].1["AuthType"]),
        (&"RESPONSE_STREAM".into(), &"NONE".into())
    );
    for (name, permission) in of_kind(&template, "AWS::Lambda::Permission") {
        assert_eq!(permission["FunctionName"], json!({ "Ref": "GatewayFunction" }), "{name}");
    }
    assert!(of_kind(&template, "AWS::Lambda::EventSourceMapping").is_empty());
    let may_invoke: Vec<&str> = of_kind(&template, "AWS::IAM::Role")
        .into_iter()
        .filter(|(_, role)| role["Policies"].to_string().contains("lambda:"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(may_invoke, ["GatewayRole"]);
}

#[tokio::test]
#[ignore = "needs SAM; ./scripts/test runs it"]
async fn a_role_may_do_what_its_function_needs_and_nothing_else() {
    let template = cloudformation().await;
    for (name, role) in of_kind(&template, "AWS::IAM::Role") {
        let own = name.replace("Role", "Logs");
        assert!(role.get("ManagedPolicyArns").is_none(), "{name}");
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
        for statement in statements {
            let (condition, statement) = match statement.get("Fn::If") {
                Some(choice) => (choice[0].as_str(), &choice[1]),
                None => (None, statement),
            };
            let (resource, expected_condition) = match statement["Sid"].as_str().unwrap() {
                "WriteItsLog" => (json!({ "Fn::GetAtt": [own, "Arn"] }), None),
                "InvokeTheBackground" => (json!({ "Fn::GetAtt": ["BackgroundFunction", "Arn"] }), None),
                "KeepWhatAllInstancesShare" => (json!({ "Fn::GetAtt": ["StoreTable", "Arn"] }), None),
                "ReadTheSecrets" => (json!({ "Ref": "SecretsArn" }), Some("HasSecrets")),
                other => panic!("{name} may do {other}"),
            };
            assert_eq!((&statement["Resource"], condition), (&resource, expected_condition), "{name}");
            assert!(!statement["Action"].to_string().contains('*'), "{name}");
        }
    }
}

#[tokio::test]
#[ignore = "needs SAM; ./scripts/test runs it"]
async fn a_secret_is_neither_shown_nor_put_out() {
    let template = cloudformation().await;
    let secret =
        ["AuthToken", "OpenAiApiKey", "AnthropicApiKey", "GeminiApiKey", "GatewaySecret", "ProxyConfig"];
    let outputs = template["Outputs"].to_string();
    for name in secret {
        let parameter = &template["Parameters"][name];
        assert!(parameter["NoEcho"] == true && parameter["Default"] == "", "{name}: {parameter}");
        assert!(!outputs.contains(name), "{outputs}");
    }
    for (name, _) in template["Parameters"].as_object().unwrap() {
        assert!(
            secret.contains(&name.as_str()) || !name.ends_with("Key") && !name.ends_with("Token"),
            "{name}"
        );
    }
}

#[tokio::test]
#[ignore = "needs SAM; ./scripts/test runs it"]
async fn nothing_costs_at_rest_and_only_what_was_spent_outlives_the_stack() {
    let template = cloudformation().await;
    let free = [
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Url",
        "AWS::Logs::LogGroup",
    ];
    for (name, resource) in template["Resources"].as_object().unwrap() {
        assert!(free.contains(&resource["Type"].as_str().unwrap()), "{name}: {}", resource["Type"]);
    }
    for (name, function) in of_kind(&template, "AWS::Lambda::Function") {
        let group = function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        assert_eq!(template["Resources"][group]["DeletionPolicy"], "Delete", "{name}");
        assert!(!template["Resources"][group]["Properties"]["RetentionInDays"].is_null(), "{name}");
        assert!(function.get("ProvisionedConcurrencyConfig").is_none(), "{name}");
        assert_eq!(
            (&function["Timeout"], &function["Architectures"][0]),
            (&900.into(), &json!({ "Ref": "Arch" }))
        );
    }
    for (name, table) in of_kind(&template, "AWS::DynamoDB::Table") {
        let (kept, expires) =
            (&template["Resources"][name], json!({ "AttributeName": "ttl", "Enabled": true }));
        assert_eq!((name, &kept["DeletionPolicy"]), ("StoreTable", &"Retain".into()));
        assert_eq!(
            (&table["BillingMode"], &table["TimeToLiveSpecification"]),
            (&"PAY_PER_REQUEST".into(), &expires)
        );
    }
    let layers = template["Resources"].as_object().unwrap().values();
    for layer in layers.filter(|resource| resource["Type"] == "AWS::Lambda::LayerVersion") {
        assert_eq!(layer["DeletionPolicy"], "Delete");
    }
    assert_eq!(template["Parameters"]["Arch"]["Default"], "arm64");
}

/// Without its vocabularies a function counts no token exactly, and nobody is told but those who count.
#[tokio::test]
#[ignore = "needs SAM; ./scripts/test runs it"]
async fn both_functions_have_the_layer_with_the_vocabularies() {
    let template = cloudformation().await;
    let layers = of_kind(&template, "AWS::Lambda::LayerVersion");
    assert_eq!(layers.len(), 1, "{layers:?}");
    for (name, function) in of_kind(&template, "AWS::Lambda::Function") {
        assert_eq!(function["Layers"], json!([{ "Ref": layers[0].0 }]), "{name}");
    }
    let source = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let folder = source.lines().find_map(|line| line.trim().strip_prefix("ContentUri: ")).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["cl100k_base.tkv.zst", "o200k_base.tkv.zst"]);
}

/// Every variable that the template sets is one that the functions read.
#[tokio::test]
#[ignore = "needs SAM; ./scripts/test runs it"]
async fn every_variable_of_the_template_is_a_setting() {
    let reference = std::fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let template = cloudformation().await;
    for (name, function) in of_kind(&template, "AWS::Lambda::Function") {
        let variables = function["Environment"]["Variables"].as_object().unwrap();
        for variable in variables.keys().filter(|variable| !variable.starts_with("AWS_LAMBDA_HTTP_")) {
            assert!(reference.contains(&format!("`{variable}`")), "{name} is given {variable}");
        }
        assert_eq!(variables.contains_key("BACKGROUND_FUNCTION"), name == "GatewayFunction");
    }
}

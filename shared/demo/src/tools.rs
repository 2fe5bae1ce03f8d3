//! Decides which of the offered tools are called, and with which arguments.

use serde_json::{Value, json};

use crate::prompt::{Choice, Prompt, Tool};
use crate::scene::{Scene, Twist};
use crate::schema;

/// Cities the demo knows the weather tool's argument for.
const CITIES: [&str; 16] = [
    "Amsterdam",
    "Berlin",
    "Boston",
    "Cairo",
    "Lisbon",
    "London",
    "Madrid",
    "Mumbai",
    "New York",
    "Oslo",
    "Paris",
    "Rome",
    "San Francisco",
    "Tokyo",
    "Vienna",
    "Zurich",
];

/// A tool is called at most this often at once, and as many different ones are.
const MOST_AT_ONCE: usize = 2;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolCall {
    pub(crate) name: String,
    pub(crate) arguments: Value,
    /// The arguments break off in the middle, as a model's do that reached its limit.
    pub(crate) broken: bool,
}

impl ToolCall {
    /// The arguments as text, as far as they were written.
    pub(crate) fn told(&self) -> String {
        let whole = self.arguments.to_string();
        let letters = whole.chars().count();
        whole.chars().take(if self.broken { letters / 2 } else { letters }).collect()
    }

    /// The arguments as a stream tells them: a few characters at a time, cut without regard for JSON.
    pub(crate) fn fragments(&self) -> Vec<String> {
        let letters: Vec<char> = self.told().chars().collect();
        letters.chunks(5).map(|fragment| fragment.iter().collect()).collect()
    }
}

/// The calls a prompt leads to; none when it is to be answered with words.
pub(crate) fn calls(prompt: &Prompt, scene: Scene) -> Vec<ToolCall> {
    let most = if prompt.one_call { 1 } else { MOST_AT_ONCE };
    let broken = scene.twist == Twist::Length;
    let call = |(tool, city): (&Tool, &str)| ToolCall {
        name: tool.name.clone(),
        arguments: arguments(&tool.schema, city),
        broken,
    };
    wanted(prompt, scene).into_iter().take(most).map(call).collect()
}

/// Whether the message asks for the tools by that word.
pub(crate) fn asked_for(prompt: &Prompt, scene: Scene) -> bool {
    scene.tools || prompt.user.to_lowercase().contains("tools")
}

/// Each tool to call, with the city it is about.
fn wanted(prompt: &Prompt, scene: Scene) -> Vec<(&Tool, &'static str)> {
    let free = prompt.choice == Choice::Auto || prompt.choice == Choice::Any;
    // A result ends the conversation, even where a call was demanded: a client's tool loop shall end.
    if prompt.tool_results.is_empty() && free && asked_for(prompt, scene) && prompt.tools.len() > 1 {
        return prompt.tools.iter().zip(cities(prompt, MOST_AT_ONCE)).collect();
    }
    let tool = tool_to_call(prompt, scene);
    tool.map(|tool| cities(prompt, 1).into_iter().map(|city| (tool, city)).collect()).unwrap_or_default()
}

/// The cities the message names, made up to at least so many.
fn cities(prompt: &Prompt, least: usize) -> Vec<&'static str> {
    let named: Vec<&str> = CITIES.into_iter().filter(|city| prompt.user.contains(city)).collect();
    let missing = least.saturating_sub(named.len());
    named.into_iter().chain(std::iter::repeat_n("Paris", missing)).collect()
}

/// The tool the choice names, else the one for the weather, else the first.
fn tool_to_call(prompt: &Prompt, scene: Scene) -> Option<&Tool> {
    let wanted = || asked_for(prompt, scene) || prompt.user.to_lowercase().contains("weather");
    let first = || prompt.tools.iter().find(|tool| tool.name.contains("weather")).or(prompt.tools.first());
    match &prompt.choice {
        _ if !prompt.tool_results.is_empty() => None,
        Choice::Never => None,
        Choice::Auto if !wanted() => None,
        Choice::Named(name) => prompt.tools.iter().find(|tool| tool.name == *name),
        Choice::Auto | Choice::Any => first(),
    }
}

fn arguments(schema: &Value, city: &str) -> Value {
    let mut arguments = schema::instance(schema);
    let names = ["city", "location", "place", "town"];
    let Some(object) = arguments.as_object_mut() else { return json!({}) };
    for (_, value) in
        object.iter_mut().filter(|(name, value)| names.contains(&name.as_str()) && value.is_string())
    {
        *value = json!(city);
    }
    arguments
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn with_weather_tool(user: &str) -> Prompt {
        let schema =
            json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        let tools = vec![Tool { name: "get_weather".to_owned(), schema }];
        Prompt { user: user.to_owned(), tools, ..Prompt::default() }
    }

    fn with_two_tools(user: &str) -> Prompt {
        let mut prompt = with_weather_tool(user);
        prompt.tools.push(Tool { name: "get_time".to_owned(), schema: Value::Null });
        prompt
    }

    fn names(prompt: &Prompt, scene: Scene) -> Vec<String> {
        calls(prompt, scene).into_iter().map(|call| call.name).collect()
    }

    #[test]
    fn each_city_gets_its_own_call() {
        let calls = calls(&with_weather_tool("What is the weather in Paris and Tokyo?"), Scene::default());
        let cities: Vec<&Value> = calls.iter().map(|call| &call.arguments["city"]).collect();
        assert_eq!(cities, ["Paris", "Tokyo"]);
    }

    #[test]
    fn a_tool_is_called_only_when_it_is_wanted() {
        let called =
            |choice, user| !calls(&Prompt { choice, ..with_weather_tool(user) }, Scene::default()).is_empty();
        assert!(!called(Choice::Auto, "hello"));
        assert!(!called(Choice::Never, "weather"));
        assert!(called(Choice::Any, "hello"));
        assert!(called(Choice::Named("get_weather".to_owned()), "hello"));
        assert!(!called(Choice::Named("other".to_owned()), "weather"));
    }

    #[test]
    fn two_tools_are_called_at_once_where_tools_are_asked_for() {
        let scene = Scene { tools: true, ..Scene::default() };
        assert_eq!(names(&with_two_tools("hello"), scene), ["get_weather", "get_time"]);
        assert_eq!(names(&with_two_tools("Use the tools."), Scene::default()), ["get_weather", "get_time"]);
        let one_call = Prompt { one_call: true, ..with_two_tools("hello") };
        assert_eq!(names(&one_call, scene), ["get_weather"]);
        let answered = Prompt { tool_results: vec!["18".to_owned()], ..with_two_tools("tools") };
        assert!(names(&answered, scene).is_empty());
    }

    #[test]
    fn arguments_that_break_off_are_no_json() {
        let scene = Scene { tools: true, twist: Twist::Length, ..Scene::default() };
        let calls = calls(&with_weather_tool("hello"), scene);
        assert_eq!(calls[0].fragments().concat(), r#"{"city":"#);
    }
}

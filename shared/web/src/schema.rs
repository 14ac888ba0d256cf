//! Schemas of things that Rust's types do not tell.

use utoipa::openapi::{
    Object, ObjectBuilder,
    schema::{AdditionalProperties, SchemaType, Type},
};

/// Any JSON value.
pub fn any_json() -> Object {
    let types = vec![Type::Object, Type::Array, Type::String, Type::Number, Type::Boolean, Type::Null];
    ObjectBuilder::new().schema_type(SchemaType::Array(types)).description(Some("Any JSON value.")).build()
}

/// A JSON object with any members.
pub fn any_object() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}

/// The same, or null.
pub fn optional_object() -> Object {
    let mut object = any_object();
    object.schema_type = SchemaType::Array(vec![Type::Object, Type::Null]);
    object
}

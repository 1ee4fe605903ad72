"""
Values for hypothesis: JSON of any kind, and values that a schema allows or nearly allows.
"""

from typing import Any

from hypothesis import strategies as st

#: Keys without line ends: whether ``.`` in the schema's key pattern matches those depends on the validator.
KEYS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=5)

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.0, 1.0, 3.0, 0.5, -1.5, 1e300, 2**70])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


def allowed(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """
    Values that a schema allows.
    """
    if "anyOf" in schema:
        return st.one_of([allowed(choice) for choice in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    kind = schema.get("type")
    if kind == "string":
        return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 8))
    if kind == "integer":
        whole = st.integers(schema.get("minimum", -5), min(schema.get("maximum", 10**6), 10**6))
        return whole | whole.map(float)
    if kind == "array":
        items = allowed(schema["items"])
        return st.lists(items, min_size=schema.get("minItems", 0), max_size=min(schema.get("maxItems", 3), 3))
    if kind == "object":
        return _allowed_object(schema)
    return {"boolean": st.booleans(), "null": st.none(), None: ANYTHING}[kind]


def nearly(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """
    Values that a schema allows with up to three spots changed to something else, or that are anything at all.
    """
    return st.builds(_spoilt, allowed(schema), st.lists(st.tuples(st.randoms(), ANYTHING), max_size=3)) | ANYTHING


def _allowed_object(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "patternProperties" in schema:
        (values,) = schema["patternProperties"].values()
        return st.dictionaries(KEYS, allowed(values), max_size=3)
    required = schema.get("required", [])
    properties = {name: allowed(member) for name, member in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: properties[name] for name in properties if name in required},
        optional={name: properties[name] for name in properties if name not in required},
    )


def _spoilt(value: Any, changes: list[tuple[Any, Any]]) -> Any:
    for random, other in changes:
        value = _changed(value, random, other)
    return value


def _changed(value: Any, random: Any, other: Any) -> Any:
    """
    A copy of a value with one spot changed: walk down at random, then replace, remove or add there.
    """
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(sorted(value))
        action = random.randrange(4)
        if action == 0:
            return {name: member for name, member in value.items() if name != key}
        if action == 1:
            return {**value, "unexpected": other}
        return {**value, key: _changed(value[key], random, other)}
    if isinstance(value, list) and value and random.random() < 0.8:
        index = random.randrange(len(value))
        return [*value[:index], _changed(value[index], random, other), *value[index + 1 :]]
    return other

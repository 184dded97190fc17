"""What every part of the configuration has in common."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.fields import FieldInfo


class Part(BaseModel):
    """A frozen block of keys; an unknown key is a fault, an empty one (`rules:` with nothing behind it) its default."""

    # Numbers may stand where text is wanted: the reader keeps as text whatever would change on the way (leading zeros).
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        return {k: v for k, v in data.items() if v is not None or k not in fields or _takes_none(fields[k])}


def _takes_none(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)

"""The strict base of everything a user writes: policy documents and edit parameters."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen, strict, no unknown keys; attribute docstrings become the schema's descriptions."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

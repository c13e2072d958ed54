"""What one clause of a contract counts in some rows, and the codes by which clauses are known.

Codes are those of the anomaly catalogue of TensorFlow Data Validation, in lower case, where one fits
(https://www.tensorflow.org/tfx/data_validation/anomalies); the others begin with `contract_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from detectors.allowed_share import breach_p_value
from service.messages import Cause, Missing


class Code(StrEnum):
    """Why a clause is broken: the method of its finding."""

    MISSING_COLUMN = "schema_missing_column"
    NOT_PRESENT = "feature_type_not_present"
    LOW_FRACTION_PRESENT = "feature_type_low_fraction_present"
    NULL = "contract_null"
    ABSENT = "contract_absent"
    NAN = "float_type_has_nan"
    INFINITE = "float_type_has_inf"
    EMPTY = "contract_empty"
    NOT_FLOAT = "float_type_string_not_float"
    NOT_TEXT = "enum_type_float_not_string"
    WRONG_TYPE = "contract_wrong_type"
    SMALL = "float_type_small_float"
    BIG = "float_type_big_float"
    SMALL_INTEGER = "int_type_small_int"
    BIG_INTEGER = "int_type_big_int"
    NOT_INTEGER = "int_type_int_expected"
    UNEXPECTED_TEXT = "enum_type_unexpected_string_values"
    UNEXPECTED_NUMBER = "contract_unexpected_number"
    NOT_CONSTANT = "contract_not_constant"
    LOW_UNIQUE = "feature_type_low_unique"
    NEW_COLUMN = "schema_new_column"
    RULE = "contract_rule"


CAUSES: dict[str, Cause] = {
    Code.MISSING_COLUMN: Cause.MISSING, Code.NOT_PRESENT: Cause.MISSING, Code.LOW_FRACTION_PRESENT: Cause.MISSING,
    Code.NULL: Cause.MISSING, Code.ABSENT: Cause.MISSING, Code.NAN: Cause.MISSING, Code.INFINITE: Cause.MISSING,
    Code.EMPTY: Cause.MISSING, Code.NOT_FLOAT: Cause.TYPE_CHANGE, Code.NOT_TEXT: Cause.TYPE_CHANGE,
    Code.WRONG_TYPE: Cause.TYPE_CHANGE, Code.SMALL: Cause.OUT_OF_RANGE, Code.BIG: Cause.OUT_OF_RANGE,
    Code.SMALL_INTEGER: Cause.OUT_OF_RANGE, Code.BIG_INTEGER: Cause.OUT_OF_RANGE,
    Code.NOT_INTEGER: Cause.TYPE_CHANGE, Code.UNEXPECTED_TEXT: Cause.NEW_CATEGORY,
    Code.UNEXPECTED_NUMBER: Cause.OUT_OF_RANGE, Code.NOT_CONSTANT: Cause.OUT_OF_RANGE,
    Code.LOW_UNIQUE: Cause.STUCK_FEATURE, Code.NEW_COLUMN: Cause.SCHEMA_CHANGE, Code.RULE: Cause.CORRELATION_BREAK,
}  # fmt: skip
"""What a broken clause speaks of, for alerts."""

MISSING_CODES: dict[Missing, Code] = {
    Missing.NULL: Code.NULL, Missing.ABSENT: Code.ABSENT, Missing.NAN: Code.NAN, Missing.INFINITE: Code.INFINITE,
    Missing.EMPTY: Code.EMPTY, Missing.WRONG_TYPE: Code.WRONG_TYPE,
}  # fmt: skip

UNTOLD = "counted_as_texts"
"""The reason of a finding about numbers of a column that is counted as categories: its order is not known."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many of `n` rows break a clause, and the share that may.

    `hits` is the best estimate and `certain` how many are known to. The estimate is off by at most `resolution` * n
    rows; where it was made from a sample or from hashes that is two standard errors, or more.
    `open_p_value` is that of this second look, where the counts leave rows open.
    """

    code: Code
    hits: float
    n: int
    allowed: float
    certain: int
    resolution: float = 0.0
    open_p_value: float | None = None

    @property
    def share(self) -> float:
        """Of the rows, those that break the clause."""
        return self.hits / self.n if self.n else 0.0

    @property
    def p_value(self) -> float:
        """How likely so many would be if each row broke it with the allowed probability; of two looks the better."""
        counted = breach_p_value(self.certain, self.n, self.allowed)
        return counted if self.open_p_value is None else min(1.0, 2 * min(counted, self.open_p_value))


def exactly(code: Code, hits: int, n: int, allowed: float) -> Count:
    """A count that leaves nothing open."""
    return Count(code, hits, n, allowed, hits)

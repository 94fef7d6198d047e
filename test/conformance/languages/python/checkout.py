from flags import flags
from openfeature.evaluation_context import EvaluationContext

user = EvaluationContext(targeting_key="ada", attributes={"plan": "pro", "seats": 12})

if flags.get_boolean_value("checkout-v2", False, user):
    print("the new checkout")
else:
    print("the old checkout")

banner = flags.get_string_value("banner", "none", user)
items = flags.get_integer_value("max-items", 10, user)
discount = flags.get_float_value("discount", 0.0, user)
retry = flags.get_object_value("retry", {"attempts": 1}, user)
validation = flags.get_string_value("address-check", "off", user)  # off, warn or enforce
print(banner, items, discount, retry["attempts"], validation)

asked = flags.get_boolean_details("checkout-v2", False, user)
print(asked.variant, asked.reason)

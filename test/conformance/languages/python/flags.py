import os

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider

# The environment is part of the address: http://127.0.0.1:7401/environments/production
provider = OFREPProvider(
    os.environ["TIDEGATE_OFREP_URL"],
    headers_factory=lambda: {"Authorization": f"Bearer {os.environ['TIDEGATE_KEY']}"},
    timeout=3.0,
)
api.set_provider(provider)
flags = api.get_client()

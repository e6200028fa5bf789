"""The only settings. What differs between deployments comes from the environment.

Each is made in one module, and in no other one; what needs another setting imports it.
"""

from ecommerce.env import DEBUG  # noqa: F401 - a setting
from ecommerce.settings.background import *
from ecommerce.settings.cache import *
from ecommerce.settings.core import *
from ecommerce.settings.database import *
from ecommerce.settings.files import *
from ecommerce.settings.limits import *
from ecommerce.settings.mail import *
from ecommerce.settings.observation import *
from ecommerce.settings.people import *
from ecommerce.settings.rest import *
from ecommerce.settings.search import *
from ecommerce.settings.security import *
from ecommerce.settings.store import *

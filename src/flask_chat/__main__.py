"""``python -m flask_chat``"""

from .cli import main

main(prog_name="flask-chat")

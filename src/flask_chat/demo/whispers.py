"""What is said in the demonstration between two people, or a few. Headings name those who talk: see :mod:`.talk`."""

from __future__ import annotations

WHISPERS = """
Ines Carvalho + Robin, 4 days at 21:30
Ines Carvalho: Between us: it is Walt's seventieth on the 2nd. Shall we do something?
Robin: Yes. Cake in the shape of a bandsaw?
Ines Carvalho: I was thinking of a drawer with his name on it. A second one.
Robin: You are a genius

Ines Carvalho + Robin, 66 minutes
Ines Carvalho: Marlene will make the drawer. Can you find out his favourite wood without asking him?
Ines Carvalho: He is in the workshop until late today, so perhaps now is a moment 🙂

Robin + Yusuf, 5 days at 17:02
Yusuf: The alarm: green button, then the code, then count to five in a calm voice?
Robin: The calm voice is optional but it helps
Yusuf: I will practise both

Priya + Robin, 1 days at 21:48
Priya: Abel asked whether he could help on Wednesdays regularly. I said that I would ask, but really I said yes
Robin: Best kind of asking. Give him an apron.

Leila + Robin, 18 minutes
Leila: Do we have a small lamp for the reading corner? Kit brought a book in *very* small print and a great deal of \
hope

Jun + Oskar + Robin, 2 days at 18:33
Jun: Plan for the loungers: eight of them, one sheet of plywood each, slots instead of screws
Oskar: Ich habe die Maße, schicke ich heute Abend. Transport mit dem Anhänger?
Robin: The trailer is with Freya, somewhere on a map. I will ask.
"""

"""What is said in the demonstration: in the lobby and in the rooms.

A heading says where and when: ``lobby, 6 days at 18:05`` or ``lobby, 40 minutes``, ago both. Each line after it is
``name: what they say``; one that begins with two spaces goes on with the line before. The gaps between are chance.
"""

from __future__ import annotations

TALK = """
lobby, 9 days at 17:40
Ines Carvalho: Evening all. The heating is on again, so you may take your gloves off while you work.
Walt: Hallelujah. I had to warm the glue in my coat yesterday
Priya: I thought that smell was the glue factory
Robin: Thank you to whoever bled the radiators. The big one by the window still gurgles, that is normal.
Leila: It gurgles in B flat. The choir has noticed.

lobby, 8 days at 09:12
Freya: Has anyone got a spare hour on Saturday? The hall floor needs two coats of oil and I have one pair of knees
Jun: I can do the morning
Tomás: Count me in after eleven
Freya: You are both lovely. There will be soup.
Marlene Vogt: Ich bringe Brot mit. Und Salz, letztes Mal war keins da 😄

lobby, 6 days at 18:05
Robin: Some news from the meeting, for those who could not come:
  • the lease is renewed for three years
  • the laser cutter stays with us until summer
  • we need two more people who can open on Fridays
Ines Carvalho: Three years!
Walt: I will believe it when the ink is dry. (It is dry. I was there. I blew on it.)
Oskar: 🎉🎉🎉
Mateo: ¡Qué buena noticia! ¿Celebramos el jueves después de clase?
Sanna: Yes please. I can say “celebramos” and nothing else so far
Yusuf: Friday mornings I could do, if somebody shows me the alarm once.
Robin: @Yusuf gladly. Wednesday before repair evening?
Yusuf: Perfect, see you then

lobby, 5 days at 13:31
Abel: Hello, I am new. A friend said that you fix bikes here on Wednesdays?
Priya: Welcome Abel! We help you fix it, which is slower and much more fun. Bring it any time after six.
Abel: Even a very rusty one?
Priya: Those are the best ones. Have a look into “Bike repair”, we are all in there
Walt: Rust is only bicycle-coloured patience

lobby, 4 days at 08:02
Leila: Does anybody know why there are eleven left gloves on the radiator
Freya: It is art now, please do not touch

lobby, 4 days at 20:30
Freya: For those who asked how the floor went, here is the long version. We began at nine with four people and one \
sander, which ate its belt at ten. Jun drove to three shops and came back with belts, plums and a dog (not ours, it \
went home at noon). By two the first coat was on and nobody could leave the kitchen, because the only way out was \
across the floor. So we ate all the soup, then all the plums, and Tomás read us the instructions of the oil in four \
languages. The second coat went on at six, backwards, towards the door, as it should have been the first time.
  It is dry now. Socks are allowed, chairs from tomorrow, dancing from Friday. Thank you, and my knees thank you.
Walt: Dancing from Friday, I have it in writing

lobby, 3 days at 19:20
Jun: Pictures from Saturday are on the pin board. Freya asleep on an oil can is my favourite
Freya: I was resting my eyes
Jun: For forty minutes
Ines Carvalho: The floor looks wonderful, by the way. I took my shoes off at the door without being asked.

lobby, 2 days at 12:15
Tomás: Is the projector free next Tuesday? I want to show the cargo bike plans to the youth club
Robin: It is. I have written you in. The cable lives in the drawer marked “not cables”.
Tomás: Of course it does
Marlene Vogt: Who wrote “not cables”??
Walt: I did. There used to be no cables in it.

lobby, 1 days at 16:48
Kit: hi! do you need to be good at anything to come along?
Leila: No. Some of us have been coming for years on that understanding
Kit: great, I'm good at tea
Ines Carvalho: Then you are already on the committee 🙂
Robin: Welcome, Kit. Reading group meets tonight if you like, second floor, follow the biscuits.

lobby, 95 minutes
Ines Carvalho: Parcel for Oskar at the front desk. It is heavy and it rattles.
Oskar: Meine Zwingen! Endlich. Ich komme um fünf vorbei
Walt: Mine rattle too but nobody sends me any

lobby, 34 minutes
Priya: Small request: whoever borrowed the long ladder, could it come home before tomorrow? The gutter is making a \
noise like a kettle
Yusuf: It was me, sorry! It is in the van. I can be there in twenty minutes
Priya: No rush, the gutter has been saying that since March
Freya: https://www.openstreetmap.org/#map=17/38.7139/-9.1334 is where I have left the trailer, since we are confessing

bench, 9 days at 10:30
Walt: New blade on the bandsaw. 13 mm, 6 teeth, runs true. Anyone who cuts metal with it sharpens it with their teeth.
Oskar: Verstanden. 😅
Jun: What do you all use for end grain? My oak drinks oil like a horse
Walt: Two thin coats, an hour between, wipe off what it does not want. Then patience.
Ines Carvalho: And do NOT leave the rags in a heap. Spread them outside, flat. Linseed rags catch fire by themselves.
Jun: By themselves?
Ines Carvalho: We had a very exciting bin in 2019.

bench, 7 days at 20:14
Oskar: Frage: Zinken oder Schwalbenschwanz für die Werkzeugkiste? Sie wird getragen, also eher stabil
Marlene Vogt: Schwalbenschwanz, wenn du einen Abend Zeit hast. Sonst Fingerzinken und guter Leim.
Oskar: Ich habe drei Abende und keine Ahnung
Marlene Vogt: Dann Schwalbenschwanz. Komm Donnerstag, ich zeige dir das Anreißen.
Walt: I understood “Schwalbenschwanz” and I approve

bench, 4 days at 18:55
Tomás: The drawer fronts came out 2 mm short. All six. I measured twice, from the wrong end, both times.
Walt: Every maker owns six short drawers. Glue a lip on, call it a shadow line.
Robin: Shadow line is on the list of official workshop words now
Tomás: Worked out the new sizes, in case somebody else builds these:
  width = (opening - 2 * 12.7) - 1
  height = opening - 20
  depth = runner + 3
Jun: You are a good man
Marlene Vogt: Die Formel hänge ich an die Tür.

bench, 1 days at 11:06
Ines Carvalho: Found this while looking for hide glue recipes, it is a treasure: \
https://en.wikipedia.org/wiki/Animal_glue
Walt: “Rabbit-skin glue is more flexible when dry.” So was I
Oskar: Die Kiste ist fertig!! Morgen bringe ich sie mit. Nur eine Lücke, und die liegt unten.
Marlene Vogt: Unten ist keine Lücke, unten ist Geheimnis.

bench, 75 minutes
Jun: Is somebody at the bench now? I left my marking gauge by the window
Ines Carvalho: It is here. I have put it into the drawer with your name. You have a drawer with your name.
Jun: I have a drawer with my name!
Walt: Took me eleven years

bikes, 8 days at 21:10
Priya: Good evening today: 9 bikes in, 8 bikes out, one adopted. Thank you all 💛
Tomás: The adopted one is following me around
Yusuf: Could we order brake pads? We are down to two pairs and one of them is mine
Priya: Ordered. Also inner tubes, 28 and 26, and chain links for 8 and 9 speed.

bikes, 5 days at 14:02
Abel: So this is my bike. It was my grandfather's. The rear hub makes a sound like a coffee mill
Oskar: Schön! Was für eine Nabe? Steht etwas drauf?
Abel: “Torpedo”, I think, and a lot of dirt
Priya: A Torpedo will outlive us all. New grease, new balls maybe. Bring a rag you do not love.
Yusuf: I did one in spring and wrote it down: take a picture before each step, lay the parts in a row on paper, \
number them. The brake cone goes back with its *notch towards the lever*, I did it three times until I believed it.
Abel: Thank you! That does not sound easy but it sounds possible

bikes, 3 days at 22:30
Abel: IT ROLLS
Abel: Silently! I rode home twice because the first time I wanted to go again
Priya: This message is why I do Wednesdays
Tomás: Welcome to the family
Oskar: Opa wäre stolz!

bikes, 1 days at 18:40
Tomás: Cargo bike, weights after tonight: frame 11.4 kg, box 6.2, my optimism 0
Priya: The box is oak, Tomás.
Tomás: It was free
Yusuf: Poplar plywood, 6 mm, and it is 2.1 kg. I have half a sheet.
Robin: If the youth club is to ride it, could we think about the brakes before the paint?
Tomás: @Robin yes. Disc in front, I have the caliper already. Paint is for Sunday.

bikes, 52 minutes
Priya: Who is in tonight? I have three bookings and the boy with the unicycle
Abel: I can come and hold things
Yusuf: In, from half past six, with a ladder

spanish, 7 days at 21:05
Mateo: ¡Gracias por la clase de hoy! Para la semana que viene: ¿qué hicisteis el fin de semana? Cinco frases, sin \
diccionario si podéis.
Yusuf: El sábado reparé una bicicleta. El domingo reparé la misma bicicleta.
Mateo: Perfecto, y muy triste.
Leila: El sábado canté, comí y dormí. No en este orden.
Marlene Vogt: El domingo fui al bosque y encontré… ¿Pilze? 🍄
Mateo: ¡Setas! Encontré setas. Aunque en Cataluña dirían bolets.
Sanna: Yo… fui… contenta?
Mateo: ¡Estuve contenta! Pero se entiende todo, y eso es lo que importa.

spanish, 2 days at 17:20
Sanna: I made cards for the irregular ones. Can somebody check?
  hacer: hice, hiciste, hizo
  poner: puse, pusiste, puso
  venir: vine, viniste, vino
  traer: trajo, and then I ran out of courage
Mateo: Todo bien. Traer: traje, trajiste, trajo. Como un traje, pero de verbo.
Yusuf: Vino means both “came” and “wine”. I will remember this one.
Ines Carvalho: Em português é “veio” e “vinho”, e assim ninguém se confunde 😇
Mateo: Ines, aquí no provocamos.

spanish, 1 days at 09:45
Robin: ¿Quién trae el café mañana? Yo traje galletas la última vez (traje!!)
Mateo: ¡Bravo! Yo llevo el café.
Leila: Llevo leche de avena

choir, 6 days at 22:05
Ines Carvalho: That was the first time the last chord was the chord in the score.
Freya: The tenors have asked for a moment to remember it by
Mateo: Estamos muy emocionados
Leila: Could we start the carol a little slower? I keep arriving at the second verse out of breath and early
Ines Carvalho: Agreed. 72, and no heroics before bar 20.

choir, 2 days at 20:41
Marlene Vogt: Die Noten für „Maria durch ein Dornwald ging“ liegen oben auf dem Klavier. Zwei Sätze, bitte nicht \
beide mit nach Hause nehmen.
Sanna: Is it hard? I have only ever sung in cars
Freya: It is the best school there is. Stand between Walt and me.

sky, 10 days at 23:58
Jun: Saturn through the 150 mm tonight, rings and all. Walt said a word that I will not repeat here.
Walt: I said it in wonder
Priya: I saw a *moon* of it. An actual moon of Saturn from a hill behind a mill.

sky, 3 days at 15:25
Jun: Geminids on the 13th and 14th of December. The Moon sets before midnight, so after that it is properly dark. \
Blankets, something hot, no torches but red ones please.
Leila: I can make red torches: cellophane, rubber band, done
Oskar: Ich baue bis dahin die Liegen fertig
Robin: If it clouds over we meet in the hall all the same, and Walt tells us about 1966
Walt: They fell like snow. You could have read a newspaper.

reading, 12 days at 20:10
Leila: “It was an early, very warm morning in July, and it had rained during the night.” Only one line and I was \
there already.
Freya: I have read it four times and always thought that it was about the grandmother. This time it is about the \
island.
Yusuf: I am at the chapter with the cat and I need to talk about the cat
Leila: No spoilers about the cat.

reading, 1 days at 22:20
Kit: thank you for tonight! I have never been told to take the last biscuit so many times
Freya: You said a thing about the grandmother being bored rather than wise that I am still turning over
Leila: Me too. Next time, same place, and we vote on December. So far on the list: something long, something short, \
and something that Yusuf has already started.
Priya: The short one

lost, 8 days at 11:11
Freya: Found: one scarf (green), one thermos (full), one recorder (alto, sticky)
Yusuf: The thermos is mine. What was in it?
Freya: Science
Walt: If anybody finds a 10 mm spanner, it is mine. All of them are.

lost, 2 days at 10:05
Ines Carvalho: The eleven left gloves now have a right one. It fits none of them.

fair, 6 days at 19:30
Marlene Vogt: Stand der Dinge: 14 Tische, 11 vergeben. Wer fehlt noch?
Mateo: La clase de español quiere una mesa para churros, si hay enchufe.
Marlene Vogt: Tisch 4, neben der Steckdose. Bitte kein Öl auf den neuen Boden!
Ines Carvalho: I take table 9, notebooks and a small press so that children can print their names.
Jun: Photographs, table 12. I need light more than space
Robin: I have asked for the permit, it should be here by Friday.

fair, 1 days at 20:15
Robin: The permit is here. Open flame outside only, so the mulled wine goes into the yard.
Priya: And the bike-powered grinder?
Robin: Indoors, they had no rule against it. I think that nobody has ever asked.
Tomás: We will be the reason for the rule

fair, 27 minutes
Marlene Vogt: @Robin kannst du heute noch die Plakate abholen? Der Laden schließt um sechs.
Ines Carvalho: I can help carry if you go by half past five
Marlene Vogt: Es sind 40 Stück, A2, gerollt. Ein Fahrradanhänger reicht.

keys, 5 days at 07:50
Walt: Closed last night, all lights off, one window in the hall was open. Nobody's fault, it was me.
Priya: Second set of keys is with me until Sunday
Robin: Thank you both. New code for the key box goes by hand, not by chat, please.

keys, 42 minutes
Ines Carvalho: Can anybody close tonight? The choir ends at ten but I have an early train
Walt: I will. I am there for the bandsaw anyway.
"""

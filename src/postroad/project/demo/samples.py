"""What the demonstration home is filled with. All names and words are invented."""

DOMAIN = "lists.example.org"

PEOPLE = (
    ("Ada Holm", "ada@example.org"),
    ("Bela Farkas", "bela@example.org"),
    ("Chinwe Obi", "chinwe@example.net"),
    ("Dana Weiss", "dana@example.com"),
    ("Emil Sørensen", "emil@example.org"),
    ("Fatima Zahra", "fatima@example.net"),
    ("Goro Tanaka", "goro@example.com"),
    ("Hana Novák", "hana@example.org"),
    ("Ivo Petrov", "ivo@example.net"),
    ("Júlia Matos", "julia@example.com"),
    ("Kofi Mensah", "kofi@example.org"),
    ("Lena Brandt", "lena@example.net"),
)

LISTS = (
    ("garden", "legacy-default", "The community garden: sowing, watering, and who has the key", tuple(range(12))),
    ("announce", "legacy-announce", "News of the society, a few times a year", tuple(range(12))),
    ("board", "private-default", "The board's own table", (0, 3, 6)),
)

# List, subject, author, days ago, then replies as (author, days ago, number of the mail answered, text).
THREADS = (
    (
        "garden", "Who waters in August?", 0, 41.0,
        "The tank by the gate is half empty already, and in August half of us are away.\n\n"
        "Could everybody who stays write which week suits them? I will hang the plan in the shed.\n\n-- \nAda\n",
        (
            (1, 40.8, 0, "> Could everybody who stays write which week suits them?\n\nThe first week is mine. Mornings only, please.\n"),
            (4, 40.5, 0, "Second week, with the children. They like the long hose.\n"),
            (2, 40.1, 1, "> Mornings only, please.\n\nThen I take the evenings of that week, it is on my way home.\n"),
            (7, 39.9, 2, "> They like the long hose.\n\nSo do the snails. Mind the lettuce.\n\nI can do the third week.\n"),
            (0, 39.2, 4, "Wonderful, that leaves only the last week.\n"),
            (10, 38.7, 5, "Last week is done too. See you in September.\n"),
        ),
    ),
    (
        "garden", "Tomatoes with brown spots", 6, 23.0,
        "The plants along the south wall have brown spots on the lower leaves, with yellow rings.\n"
        "Is this blight, and must they go?\n\nGoro\n",
        (
            (8, 22.9, 0, "Rings like on a target? Then it is early blight, Alternaria. Take the lower leaves off and do not water from above.\n"),
            (6, 22.5, 1, "> Rings like on a target?\n\nExactly like that. Thank you, I took a bucket of leaves off this morning.\n"),
            (5, 22.1, 1, "> do not water from above\n\nAnd not in the evening. We lost a whole bed that way two years ago:\nthe leaves were wet all night.\n"),
            (11, 21.6, 3, "A mulch of straw helps as well, the spores come up with the splashing soil.\n"),
        ),
    ),
    (
        "garden", "Saatgut-Tausch am Sonntag – Größe der Tütchen", 11, 12.4,
        "Hallo zusammen,\n\nam Sonntag tauschen wir Saatgut. Bitte kleine Tütchen mitbringen, beschriftet mit Sorte und Jahr.\n\nLena\n",
        (
            (3, 12.2, 0, "I bring beans: 'Blaue Hilde' and a white one nobody knows the name of.\n"),
            (7, 11.9, 0, "Děkuji! I have peppers from my grandmother, very hot.\n"),
        ),
    ),
    (
        "garden", "Key of the shed", 9, 3.2,
        "The lock of the shed is new since this morning. The old keys no longer fit; new ones are with me and with Kofi.\n",
        (
            (10, 3.0, 0, "I am there on Saturday from nine till noon.\n"),
            (1, 2.4, 1, "> Saturday from nine till noon\n\nCan I come at one? I work until half past twelve.\n"),
            (10, 2.3, 2, "Of course. There will be coffee.\n"),
        ),
    ),
    (
        "announce", "Summer party on the 14th", 3, 30.0,
        "Dear all,\n\nour summer party is on Saturday the 14th, from four in the afternoon, in the garden.\n"
        "Bring something for the table; drinks are there.\n\nFor the board,\nDana\n", (),
    ),
    (
        "announce", "Annual meeting: invitation and agenda", 0, 8.0,
        "Dear members,\n\nthe annual meeting is held on the 9th at seven in the evening in the library.\n\n"
        "1. Report of the year\n2. Accounts\n3. The new fence\n4. Anything else\n\nAda Holm, chair\n", (),
    ),
    (
        "board", "Offers for the fence", 6, 6.0,
        "Three offers came in. The cheapest leaves out the gate. Let us decide before the meeting.\n",
        ((0, 5.5, 0, "The second, then. A fence without a gate is a wall.\n"), (3, 5.4, 1, "Agreed.\n")),
    ),
)  # fmt: skip

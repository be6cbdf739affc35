"""What the scripted agent has to say: texts that need care, and the talk that is seen in pictures."""

from __future__ import annotations

MARKDOWN = """\
# A heading

Some **bold**, some *slanted*, some `code`, and [a link](https://example.org/page).

1. first
2. second

- a bullet

> a quote

| left | right |
|------|------:|
| cell | 42 |

```python
print("a < b && c")
```
"""

ATTACK = """\
<script>window.attacked = "script"</script>
<img src="http://attacker.invalid/a.png" onerror="window.attacked = 'onerror'">
<svg onload="window.attacked = 'svg'"></svg>
<iframe src="http://attacker.invalid/frame"></iframe>

![picture](http://attacker.invalid/b.png)
![inside](javascript:window.attacked='image')

[script link](javascript:window.attacked='link')
[coded link](java&#115;cript:window.attacked='coded')
[data link](data:text/html,<script>window.attacked='data'</script>)
[file link](file:///etc/passwd)
[capital link](JaVaScRiPt:window.attacked='capital')
<javascript:window.attacked='autolink'>
[reference link][evil]

[evil]: vbscript:window.attacked

[titled](https://example.org "x\\" onmouseover=\\"window.attacked='title'")

<div style="position:fixed;inset:0">covers all</div>

`<b>code</b>` &lt;b&gt;entity&lt;/b&gt;

the end of the attack
"""

TRAINS = """\
There are **three direct trains** from Kyoto to Nara before eight:

| departs | arrives | train | fare |
|---------|---------|-------|-----:|
| 18:20 | 19:05 | Miyakoji Rapid | ¥\u00a0720 |
| 18:50 | 19:26 | Limited Express | ¥\u00a01,280 |
| 19:23 | 20:09 | Miyakoji Rapid | ¥\u00a0720 |

The rapid leaves from platform 8 and needs **no reservation**. If you would like a seat for sure, take the \
limited express at 18:50.
"""

MUSEUM = """\
I could not look it up: the museum's site does not answer. As a rule it is

1. open from *half past nine* to *five*, and
2. closed on **Mondays**, unless that is a holiday.

```text
09:30  ──  last admission 16:30  ──  17:00
```
"""

ABYSS = f"""\
{">" * 4000} deep

{"- " * 4000}deep

{"*_" * 2000}deep{"_*" * 2000}

&constructor;

the bottom of it
"""

TEXTS = {"markdown": MARKDOWN, "attack": ATTACK, "trains": TRAINS, "museum": MUSEUM, "abyss": ABYSS}
"""What the step `say` can say."""

SCENES = {
    "Is the museum in Nara open tomorrow?": (
        'tool museum.hours {"museum":"Nara","day":"tomorrow"} => !the site does not answer; say museum'
    ),
    "Which trains go from Kyoto to Nara this evening?": (
        'tool timetable.search {"from":"Kyoto","to":"Nara","after":"18:00"}'
        " => 3 direct trains, the first at 18:20; say trains"
    ),
    "Then remind me at half past six.": (
        'tool reminder.create {"at":"18:30","text":"Leave for platform 8"} => @reminder set; words 1'
    ),
}
"""Chats of a person, and the steps that answer them."""

"""What changes to the judge are tried on: turns of fit_boast.py's side "line", which no weight was fitted on, at the places
that blind.py puts its own at. The wording of blind.py is for the last measurement only."""
from . import blind, craft, fit, fit_boast

PLACES = [place for place in blind.PLACES if place != "image"]


def partial(rng, body, kind):
    lines = [fit_boast.boast(rng, 2, "line") for _ in range(1 if kind in ("title", "heading") else rng.randint(1, 3))]
    tag = rng.choice(["<p>{}</p>", "<h2>{}</h2>", "<div>{}</div>", "<center><font color=red>{}</font></center>"])
    return blind.put(rng, body, kind, lambda shaped: tag.format("<br>".join(lines)) if shaped else lines[0])


def edit(rng, body, kind):
    """Half of it news of break-ins and other crime."""
    line = fit_boast.report(rng, "line") if rng.random() < .5 else craft.fill(rng, rng.choice(fit.NEWS + fit.CIVIC), fit.SLOTS)
    return blind.put(rng, body, kind, lambda shaped: f"<p>{line}</p>" if shaped else line)

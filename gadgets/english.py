"""How English uses its letters: what makes a shifted text recognisable.

The letter and pair statistics are logarithms, one character each in base 36: `-2 ln P`, rounded, so that a difference
of 1 is a factor of 1.65 and the whole table stays readable as data. They were counted over the 60,000 most frequent
English words, each weighed by its frequency as the data set of R. Speer's `wordfreq` gives it. The words below are
common ones of everyday and of spy stories.
"""

import math
from functools import cache

LETTERS = "abcdefghijklmnopqrstuvwxyz"

_LETTER = "587748865c967558e665798d8e"
"""P(letter), in the order of the alphabet."""

_PAIR = """
g867d98c7d8473f8g45497ad7c 5ace2hjf6bk5df4gj68b4dgn5m 4g8f4hh46l66gg3ge6a57jjm9i 5dc82d9d3df8ab4eg66e6abk7j
5b65699c8gc67498c346c7988f 5feh45fk4lj7gi2ho4c66ngjbo 5ehd3f845lh7c74fk57a6lfm9j 3ege1hlg4okcdb5hi9c79jfn9k
7a57777ieh967369e744d7jckb 4ggg4fih8fghhh3djbeh2hhlhl 7dfd2bbb3he8d59cnb5daicm8m 4cc639eg4ma4ae5aob787abo5k
37cg2dgh4kke7b45na7f6hgk6l 6e634a3d6c89b85fge649aeg8f a988b59c9e975377k476486dbg 4fdd3fe76kg4bg46m4876ihmal
bceiggkkbkkdikhfggef0hikkk 5b872b8d4j88874bi85689cj6j 6d7d3cf55k999c57dd536hal9m 6eag4eh24nk9cd4fn6788f9k8g
78677b6f7ic574d6j444ifjeae 5khf1iij3mlgik6fofcheijmbn 3efd3ej33kebg64ho88chlfodo 4c4d5bl84jlceia3egf37deb9l
889a4cdf6kg88918ma47cg9iid 4die2eda4je9ef5egdde8efh66
"""
"""P(next letter | letter): a row per letter, a column per next letter."""

_WORDS = """
a i am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we act add age ago air all
and any are art ask ate bad bag bar bat bed bee big bit box boy bus but buy bye cab can cap car cat cow cry
cup cut dad day did die dig dog dry due ear eat egg end eye far fat few fit fix fly for fox fun gas get gin
god got gun guy had ham has hat hen her hey him his hit hot how hut ice ill its jam job joy key kid law lay
led leg let lie lot low mad man map may men met mix mom mud nap new nor not now nut odd off oil old one our
out own pay pen per pet pie pin put ran rat raw red rid rob row rum run sad sat saw say sea see set sex she
shy sir sit six sky son spy sun tap tax tea ten the tie tip too top toy try two use van war was way web wet
who why win won yes yet you zip zoo able area army away baby back ball band bank base bath bear beat been
beer bell best bird blue boat body bomb bond bone book born both boys bush busy cake call calm came camp
card care case cash city club coat code cold come cook cool copy cost dark data date dawn dead deal dear
deep desk done door down draw drop each earn east easy else even ever evil face fact fail fair fall farm
fast feel feet fell felt file fill film find fine fire fish five food foot four free from full game gate
gave girl give glad goal goes gold gone good grow half hall hand hard have head hear heat held hell help
here hero hide high hill hold hole home hope hour huge hunt hurt idea into iron item jazz join jump just
keep kept kill kind king knew know lady lake land last late lead left less life like line list live long
look lose loss lost loud love luck made mail main make many mark mean meet mind mine miss moon more most
move much must name near neck need news next nice nine none noon nose note okay once only open over page
paid pain pair park part pass past path plan play poor post pull push quit quiz race rain read real rest
rich ride ring rise risk road rock role roof room rose rule safe said sail salt same sand save seat seem
seen self sell send sent ship shoe shop shot show shut sick side sign sing site size slow snow soft soil
sold some song soon sort soul star stay step stop such suit sure swim take talk tall task team tell tent
term test text than that them then they thin this thus time tiny tire told took town tree trip true turn
type unit upon used user very view visa vote wait wake walk wall want warm wash wave ways weak wear week
well went were west what when whom wide wife wild will wind wine wire wise wish with wolf wood word wore
work yard year your zero zone zoom about above abuse agent agree ahead alarm alive alone along among angel
anger angry apple armed aside avoid awake award aware beach began begin below birth black blind block blood
board brain bread break bring broke brown build built catch cause chain chair cheap check chest chief child
china claim class clean clear climb clock close cloud coast coded codes color could count court cover crazy
cream crime cross crowd crown dance death delta depth dirty docks doubt dozen draft dream dress drink drive
early earth eight email empty enemy enjoy enter equal error every exact exist extra faith false fault field
fifth fifty fight final first flash floor focus force found frame fresh front fruit funny ghost giant given
glass going grand grass great green group guard guess guest guide happy heard heart heavy hello hired horse
hotel hours house human image issue japan judge juice knife known large laser later laugh layer learn leave
legal level light limit lives local logic lucky lunch magic major march marry match maybe mayor means media
metal might money month moral motor mount mouse mouth movie music never night noise north novel nurse ocean
offer often order other owner paint panel paper paris party peace phone piece pilot place plane plant plate
point power press price pride prime print prize proof proud queen quick quiet quite radio raise range ready
reply right river robot rough round route royal scene score sense serve seven shall shape share sharp sheep
shell shift shirt shock shoot short shown sight since skill sleep slept small smart smell smile smoke solid
sorry sound south space speak speed spend spent spies staff stage stand start state steal steel stick still
stone store storm story strip study stuff style sugar sweet swiss table taken taste teach teeth thank their
theme there these thick thief thing think third those three threw throw tiger tired title today tooth topic
total touch tough tower track trade trail train treat trial tribe trick tried truck truly trust truth twice
uncle under union until upper urban usual value video visit voice waste watch water wheel where which while
white whole whose woman women world worry worse worst worth would write wrong wrote years young yours zebra
accept action agents almost always amount animal answer anyone anyway appear around arrive attack august
autumn banana become before behind berlin better beyond border bottom bought bridge bright broken budget
called camera cannot castle caught center centre chance change charge choice choose church cipher circle
coffee coming common cookie corner county couple course create danger decide decode demand desert design
detail dinner direct doctor dollar double driver during either eleven emails energy engine enough escape
europe events expect family famous father figure finger finish flight flower follow forest forget former
french friday friend future gadget garden gather german global golden ground growth guilty happen having
health height hidden hungry inside island itself kindly latest launch lawyer leader league listen little
living london lovely making manage market master matter member memory mental middle minute mirror moment
monday moscow mother motion moving murder museum myself nation nature nearly nobody normal notice number
office online option orange others palace people period person planet please pocket poison police prison
public purple python quarry rather reason record remain remove report rescue result return reveal russia
school search season second secret secure select senior series server settle should signal silent silver
simple single sister sleepy social speech spirit spread spring square stolen street strike strong studio
submit sudden summer sunday supply surely switch symbol system taking target tested things though thread
threat ticket toward trying twelve twenty unable unless update useful valley vessel victim vienna vision
waited wanted weapon weight window winter within wizard wonder worker yellow account address already another
anybody arrived attacks because between bridges british brother capital captain central century certain
changed chapter chicken classic college command company contact control country courage covered current
decrypt defense destroy develop dossier eastern economy embassy encoded encrypt english evening exactly
example explain failure feeling finally foreign forever forward freedom gadgets general getting goodbye
gravity greater however hundred husband imagine instead journey justice kitchen leading library machine
manager meeting message million mission monkeys morning mystery natural neither network nothing officer
outside package partner patient perfect perhaps picture present private problem program project protect
provide quarter quickly quietly railway reading retreat running russian science secrets section several
silence similar soldier someone special station strange student success support survive suspect teacher
thought through tonight trouble tuesday victory village warning weather weekend welcome western whether
whisper without working american anything assassin attacked briefing children complete computer delivery
dinosaur discover distance document download everyone evidence internet language midnight military pleasure
position possible probably question received remember response saturday security somebody stranger strategy
suddenly surprise thirteen thousand thursday together tomorrow training treasure vacation whatever yourself
briefcase fantastic important including knowledge operation president seventeen situation something
sometimes spymaster surrender telephone wednesday wonderful yesterday conference everything government
rendezvous technology themselves undercover university information underground quartermaster
"""


@cache
def letter_costs() -> dict[str, float]:
    """Letter -> `-ln P(letter)`: the lower, the more usual."""
    return dict(zip(LETTERS, _costs(_LETTER), strict=True))


@cache
def pair_costs() -> dict[str, float]:
    """Two letters -> `-ln P(second | first)`."""
    rows = zip(LETTERS, _PAIR.split(), strict=True)
    return {first + second: cost for first, row in rows for second, cost in zip(LETTERS, _costs(row), strict=True)}


@cache
def word_costs() -> dict[str, float]:
    """Common word -> `ln` of how many common words have its length: naming one of so many."""
    words = _WORDS.split()
    lengths = [len(each) for each in words]
    return {each: math.log(1 + lengths.count(len(each))) for each in words}


def _costs(digits: str) -> list[float]:
    return [int(each, 36) / 2 for each in digits]

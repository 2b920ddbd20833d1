import { randomInt } from 'node:crypto';

const ADJECTIVES = (
  'able agile amber ample apt avid balmy blithe bold brave breezy brisk calm candid clear clever cosy crisp curious ' +
  'daring deft eager early easy fair fancy fleet fond frank fresh gentle glad golden grand handy happy hardy honest ' +
  'humble jolly keen kind late lively loyal lucid lucky mellow merry mild modest neat nimble noble novel open patient ' +
  'placid plucky polite proud prudent quick quiet rapid ready rosy rustic sage serene sharp shiny silent silver ' +
  'sincere sleek smart snug sober solid spry steady still sturdy subtle sunny swift tidy tranquil true upbeat valiant ' +
  'vivid warm wary wise witty young zesty'
).split(' ');

const NOUNS = (
  'adder alpaca badger bat beetle bison bobcat boar bream camel carp cat civet cod condor coot crane cricket crow dace ' +
  'deer dingo dove drake duck eagle eel egret eland elk falcon ferret finch fox frog gannet gecko gibbon gnu goose ' +
  'gopher grouse gull hare heron hippo horse ibex ibis iguana jackal jay kestrel kite koala lark lemur lion llama ' +
  'lynx magpie marlin marmot marten mink mole moose moth mouse newt ocelot okapi orca oriole osprey otter owl panda ' +
  'parrot perch pigeon pike puffin puma quail rabbit raven robin salmon seal shrew shrike skua sloth snipe stoat ' +
  'stork swan swift tapir teal tern tiger toad toucan trout viper vole walrus weasel whale wolf wombat wren yak zebra'
).split(' ');

const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? '';

/** A name for a run that was given none, in MLflow's form: `nimble-otter-412`, at most 20 characters. */
export const randomRunName = (): string => `${pick(ADJECTIVES)}-${pick(NOUNS)}-${randomInt(1_001)}`;

import fc from 'fast-check';

// AVA loads this before every test file. One pinned seed makes every run of the tests the same run;
// FC_SEED=random looks elsewhere, FC_SEED=<number> repeats what a failure printed, FC_RUNS digs deeper.
const PINNED_SEED = 20200306;
const DEFAULT_RUNS = 200;

const askedSeed = process.env['FC_SEED'];
const askedRuns = process.env['FC_RUNS'];

function wholeNumber(name: string, text: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error(`${name}=${text} is not a whole number`);
  return Number(text);
}

const numRuns = askedRuns === undefined ? DEFAULT_RUNS : wholeNumber('FC_RUNS', askedRuns);
if (askedSeed === 'random') fc.configureGlobal({ numRuns });
else
  fc.configureGlobal({
    numRuns,
    seed: askedSeed === undefined ? PINNED_SEED : wholeNumber('FC_SEED', askedSeed),
  });

import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { CONFIG_PROOFS } from './_config.ts';
import { CONFIG_CLAUSES } from './config.ts';

/** What our guests do otherwise than the text recommends. */
const KNOWN = {
  'CFG-DRV-002':
    'the scripted drivers read the address of a network device byte by byte and ask for no generation',
};

clauseLaws(test, CONFIG_CLAUSES, CONFIG_PROOFS, KNOWN);

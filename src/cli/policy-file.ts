import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { GUEST_SYSTEMS } from '../emu/guest/systems.ts';
import { POLICIES, policyNamed, VERSIONS, type Policy } from '../emu/machine/policies.ts';
import { DEVICE_MODELS } from '../emu/machine/virtio-models.ts';
import { UsageError } from './options.ts';

const text = v.pipe(v.string(), v.nonEmpty('some text is wanted'));

function oneOf(names: readonly string[], what: string): v.GenericSchema<string, string> {
  return v.pipe(
    v.string(),
    v.check(
      (word) => names.includes(word),
      (issue) => `there is no ${what} ${issue.input}`,
    ),
  );
}

const version = oneOf(VERSIONS, 'machine version');

const properties = v.strictObject({
  disableLegacy: v.exactOptional(v.picklist(['auto', 'on', 'off'])),
  disableModern: v.exactOptional(v.boolean()),
  iommuPlatform: v.exactOptional(v.boolean()),
  packed: v.exactOptional(v.boolean()),
});

/** What a policy file holds: the fields of `Policy`, those with a plain default left out at will. */
const POLICY_FILE = v.strictObject({
  name: v.pipe(
    text,
    v.check(
      (word) => policyNamed(word) === undefined,
      (issue) => `${issue.input} is the name of a built-in policy`,
    ),
  ),
  statement: v.optional(text, 'a policy of the user'),
  source: v.optional(text, 'the policy file'),
  platform: v.optional(v.picklist(['pseries', 'i440fx', 'q35']), 'pseries'),
  machines: v.exactOptional(v.array(version)),
  devices: v.exactOptional(
    v.array(
      oneOf(
        DEVICE_MODELS.map(({ name }) => name),
        'device model',
      ),
    ),
  ),
  guests: v.exactOptional(
    v.array(
      oneOf(
        GUEST_SYSTEMS.map(({ name }) => name),
        'guest',
      ),
    ),
  ),
  defaults: v.array(
    v.strictObject({
      from: v.exactOptional(version),
      until: v.exactOptional(version),
      when: v.optional(v.picklist(['machine', 'capability']), 'machine'),
      set: properties,
      optional: v.optional(v.boolean(), true),
    }),
  ),
  secure: v.optional(
    v.strictObject({
      capability: v.exactOptional(text),
      admits: v.picklist(['always', 'capability', 'never']),
      migratable: v.boolean(),
    }),
    { admits: 'always', migratable: true },
  ),
});

/** A policy by its name, or from the file that a path names. */
export async function policyMeant(word: string): Promise<Policy> {
  const known = policyNamed(word);
  if (known !== undefined) return known;
  if (!/[/\\]|\.json$/.test(word)) {
    const names = POLICIES.map(({ name }) => name).join(', ');
    throw new UsageError(
      `there is no policy ${word}; choose from ${names}, or name a file such as ./mine.json`,
    );
  }
  return policyFrom(await readFile(word, 'utf8'), word);
}

/** Reads a policy out of JSON; `from` names where it stood. Every mistake is one sentence with its place. */
export function policyFrom(json: string, from: string): Policy {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new UsageError(`${from} is no JSON: ${(error as Error).message}`);
  }
  const result = v.safeParse(POLICY_FILE, value);
  if (!result.success) {
    const [issue] = result.issues;
    const place = v.getDotPath(issue) ?? 'the file as a whole';
    const said = issue.message.startsWith('Invalid') ? wanted(issue) : issue.message;
    throw new UsageError(`${from} is no policy: ${place}: ${said}`);
  }
  const policy = result.output;
  if (policy.secure.admits === 'capability' && policy.secure.capability === undefined) {
    throw new UsageError(
      `${from} is no policy: secure.capability: an option is wanted where it is what admits`,
    );
  }
  return policy;
}

function wanted(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'a policy has no such field';
  return `${issue.expected ?? 'something else'} is wanted, not ${issue.received}`;
}

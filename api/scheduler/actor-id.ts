/** Ids for actors whose creator has no name for them: easy to say, and long enough not to meet by chance. */
import { randomInt } from 'node:crypto';

const qualities = [
  'calm',
  'cosy',
  'drowsy',
  'fluffy',
  'gentle',
  'happy',
  'lazy',
  'mellow',
  'quiet',
  'shy',
  'small',
  'warm',
];
const animals = [
  'badger',
  'bat',
  'bear',
  'dormouse',
  'hamster',
  'hedgehog',
  'lemur',
  'marmot',
  'mole',
  'newt',
  'snail',
  'toad',
];
/** Without those that look alike or spell words: 8 of them make chance meetings rare among millions of actors. */
const letters = 'bcdfghjkmnpqrstvwxz23456789';
const suffixLength = 8;

export function newActorId(): string {
  const pick = <Item>(items: ArrayLike<Item>): Item | '' => items[randomInt(items.length)] ?? '';
  const suffix = Array.from({ length: suffixLength }, () => pick(letters)).join('');
  return `${pick(qualities)}-${pick(animals)}-${suffix}`;
}

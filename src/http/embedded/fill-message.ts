import { pythonFloatOf, pythonInteger } from '../../domain/python-numbers.ts';
import type { PythonJson } from '../../domain/python-text.ts';
import type { Field, FieldType, MessageType } from './messages.ts';

/** A message as far as it was filled: what is absent was not sent, or came after something of a wrong type. */
export interface Message {
  [field: string]: Value;
}
export type Value = string | bigint | number | Message | Value[];

/** Ends the filling of a message; what was filled before stays. */
class Mismatch extends Error {}

/** An enumeration's unknown name: passed over, and the filling goes on. */
class UnknownName extends Error {}

/**
 * Fills a message from JSON as protobuf's `ParseDict` does with unknown fields ignored, into `message`.
 * @returns false when a value of a wrong type ended it early
 * @throws ServerFault where ParseDict fails itself
 */
export function fillMessage(json: PythonJson, type: MessageType, message: Message): boolean {
  try {
    fill(json, type, message);
    return true;
  } catch (error) {
    if (error instanceof Mismatch) return false;
    throw error;
  }
}

/** JSON's spelling of a field's name: `runId` for `run_id`. */
export const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What the protocol reads as the name of an extension; MLflow's messages have none, so it is a mistake. */
const EXTENSION = /^\[[a-zA-Z0-9._]*\]$/;

const NAMES = new WeakMap<MessageType, ReadonlyMap<string, string>>();

/** The fields of a message by both their spellings. */
function namesOf(type: MessageType): ReadonlyMap<string, string> {
  const known = NAMES.get(type);
  if (known) return known;
  const names = new Map(
    Object.keys(type).flatMap((name): [string, string][] => [
      [name, name],
      [camelCase(name), name],
    ]),
  );
  NAMES.set(type, names);
  return names;
}

function fill(json: PythonJson, type: MessageType, message: Message): void {
  const names = namesOf(type);
  for (const sent of namesIn(json)) {
    if (typeof sent !== 'string') throw new Mismatch();
    const name = names.get(sent);
    const field = name === undefined ? undefined : type[name];
    if (name === undefined || field === undefined) {
      if (EXTENSION.test(sent)) throw new Mismatch();
      continue;
    }
    const value = fieldOf(json, sent);
    if (value === null) delete message[name];
    else setField(message, name, field, value);
  }
}

/** What Python iterates over: a list's items and a text's characters too. */
function namesIn(json: PythonJson): Iterable<PythonJson> {
  if (typeof json === 'string' || Array.isArray(json)) return json;
  if (typeof json === 'object' && json !== null) return Object.keys(json);
  throw new Mismatch();
}

function fieldOf(json: PythonJson, name: string): PythonJson {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Mismatch();
  return (json as Readonly<Record<string, PythonJson>>)[name] ?? null;
}

function setField(message: Message, name: string, { type, repeated }: Field, value: PythonJson): void {
  if (repeated) {
    const items: Value[] = [];
    message[name] = items;
    if (!Array.isArray(value)) throw new Mismatch();
    for (const item of value as readonly PythonJson[]) addItem(items, type, item);
  } else if (typeof type === 'object' && 'message' in type) {
    const inner: Message = {};
    message[name] = inner;
    fill(value, type.message, inner);
  } else {
    try {
      message[name] = scalarOf(type, value);
    } catch (error) {
      if (!(error instanceof UnknownName)) throw error;
    }
  }
}

/** A message is in the list before it is filled, so a part of it stays when it does not end well. */
function addItem(items: Value[], type: FieldType, item: PythonJson): void {
  if (typeof type === 'object' && 'message' in type) {
    const message: Message = {};
    items.push(message);
    if (item === null) throw new Mismatch();
    fill(item, type.message, message);
  } else {
    if (item === null) throw new Mismatch();
    items.push(scalarOf(type, item));
  }
}

function scalarOf(type: Exclude<FieldType, { message: MessageType }>, value: PythonJson): string | bigint | number {
  if (type === 'string') return textOf(value);
  if (type === 'double') return doubleOf(value);
  if (type === 'int32') return integerOf(value, 32);
  if (type === 'int64') return integerOf(value, 64);
  return numberOfName(type.names, value);
}

function textOf(value: PythonJson): string {
  if (typeof value !== 'string' || !value.isWellFormed()) throw new Mismatch();
  return value;
}

const isContainer = (value: PythonJson) => typeof value === 'object' && value !== null;

function doubleOf(value: PythonJson): number {
  if (isContainer(value) || value === 'nan') throw new Mismatch();
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Mismatch();
  const number = pythonFloatOf(value);
  if (number === undefined) throw new Mismatch();
  return number;
}

function integerOf(value: PythonJson, bits: 32 | 64): bigint {
  if (isContainer(value) || typeof value === 'boolean') throw new Mismatch();
  if (typeof value === 'number' && !Number.isInteger(value)) throw new Mismatch();
  if (typeof value === 'string' && value.includes(' ')) throw new Mismatch();
  const integer = pythonInteger(value) ?? wholeFloat(value);
  if (BigInt.asIntN(bits, integer) !== integer) throw new Mismatch();
  return integer;
}

function wholeFloat(value: PythonJson): bigint {
  const number = pythonFloatOf(value);
  if (number === undefined || !Number.isInteger(number)) throw new Mismatch();
  return BigInt(number);
}

function numberOfName(names: Readonly<Record<string, bigint>>, value: PythonJson): bigint {
  if (typeof value === 'string' && Object.hasOwn(names, value)) return names[value] as bigint;
  if (isContainer(value)) throw new Mismatch();
  const number = pythonInteger(value);
  if (number === undefined) throw new UnknownName();
  if (!Object.values(names).includes(number)) throw new Mismatch();
  return number;
}

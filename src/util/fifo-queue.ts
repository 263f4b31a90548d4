/** A first-in, first-out queue. Its methods take constant time, unlike `Array.prototype.shift`. */
export interface Queue<T> {
  /** Adds an item at the end. */
  push(item: T): void;
  /** Removes the first item and returns it, or undefined if the queue is empty. */
  shift(): T | undefined;
  /** Returns the first item, or undefined if the queue is empty. */
  peek(): T | undefined;
}

const compactAfter = 1024;

/** Makes an empty queue. */
export function createQueue<T>(): Queue<T> {
  let items: T[] = [];
  let head = 0;
  return {
    push(item) {
      items.push(item);
    },
    peek: () => items[head],
    shift() {
      if (head === items.length) return undefined;
      const item = items[head];
      items[head++] = undefined as T;
      if (head === items.length || head > compactAfter + items.length / 2) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
  };
}

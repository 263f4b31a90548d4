/** First in, first out, in constant time whatever its length. */
export interface Queue<T> {
  push(item: T): void;
  shift(): T | undefined;
  peek(): T | undefined;
}

const compactAfter = 1024;

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

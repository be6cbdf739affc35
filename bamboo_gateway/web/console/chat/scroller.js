// Scrolling: at the bottom one stays there; elsewhere, nothing moves under the reader.
import { useLayoutEffect, useRef, useState } from "../../vendor/preact/hooks.js";

/** Pixels from the end that still count as the end. */
const NEAR = 48;

/** Pixels from the beginning at which older messages are asked for. */
const EARLY = 120;

/**
 * @param {unknown} content Whatever is another one when what is shown has changed.
 * @param {unknown} first What is another one when something was put in front.
 * @param {() => void} onTop
 */
export function useScroller(content, first, onTop) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const isStuck = useRef(true);
  const height = useRef(0);
  const before = useRef(first);
  const [isAway, setAway] = useState(false);

  useLayoutEffect(() => {
    const box = element.current;
    if (!box) return;
    if (isStuck.current) box.scrollTop = box.scrollHeight;
    else if (before.current !== first) box.scrollTop += box.scrollHeight - height.current;
    before.current = first;
    height.current = box.scrollHeight;
  }, [content, first]);

  useLayoutEffect(() => {
    const box = element.current;
    if (!box) return;
    const keep = new ResizeObserver(() => {
      if (isStuck.current) box.scrollTop = box.scrollHeight;
      height.current = box.scrollHeight;
    });
    keep.observe(box);
    if (box.firstElementChild) keep.observe(box.firstElementChild);
    return () => keep.disconnect();
  }, []);

  const onScroll = () => {
    const box = element.current;
    if (!box) return;
    isStuck.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    setAway(!isStuck.current);
    if (box.scrollTop < EARLY && !isStuck.current) onTop();
  };
  const toEnd = () => {
    const box = element.current;
    if (!box) return;
    isStuck.current = true;
    box.scrollTop = box.scrollHeight;
    setAway(false);
  };
  return { element, isAway, onScroll, toEnd };
}

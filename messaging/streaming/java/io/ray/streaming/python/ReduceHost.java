package io.ray.streaming.python;

import io.ray.streaming.api.function.impl.ReduceFunction;

/** Folds batches for a Python worker, which keeps the state: a Ray actor. */
public class ReduceHost {
  private final ReduceFunction<Object> function;

  @SuppressWarnings("unchecked")
  public ReduceHost(String name) throws Exception {
    function = (ReduceFunction<Object>) OperatorHost.made(name);
  }

  /**
   * Each record is {number of its key, value}; each state, by that number, is {} or {value}. For each record returns
   * {{value}, null}, or {null, error}: for one that the function raises on, and for all of its key that follow it,
   * which have to be folded again when it is known what becomes of the first.
   */
  public Object[] fold(Object[] records, Object[] states) {
    Object[] results = new Object[records.length];
    String[] failed = new String[states.length];
    for (int i = 0; i < records.length; i++) {
      Object[] record = (Object[]) records[i];
      int key = ((Number) record[0]).intValue();
      Object[] known = (Object[]) states[key];
      try {
        if (failed[key] == null) {
          Object value = known.length == 0 ? record[1] : function.reduce(known[0], record[1]);
          states[key] = new Object[] {value};
        }
      } catch (Exception | LinkageError | StackOverflowError e) {
        failed[key] = e.toString();
      }
      results[i] =
          failed[key] == null
              ? new Object[] {states[key], null}
              : new Object[] {null, failed[key]};
    }
    return results;
  }
}

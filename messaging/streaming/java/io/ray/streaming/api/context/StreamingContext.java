package io.ray.streaming.api.context;

import io.ray.api.PyActorHandle;
import io.ray.api.Ray;
import io.ray.api.function.PyActorClass;
import io.ray.api.function.PyActorMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Collects a declaration in Java; Python's dataflow layer runs it. */
public class StreamingContext {
  private static final String MODULE = "messaging.streaming.java.java_driver";
  private final List<Object[]> verbs = new ArrayList<>();
  private final List<Object[]> options = new ArrayList<>();

  public static StreamingContext buildContext() {
    return new StreamingContext();
  }

  /** Keeps options of the job, such as "state", the URL of the store in which it keeps its state. */
  public StreamingContext withConfig(Map<String, String> config) {
    config.forEach((key, value) -> options.add(new Object[] {key, value}));
    return this;
  }

  /** Adds a verb on the stream of that number (-1: none) and returns the number of the stream it makes. */
  public int add(int stream, String language, String verb, Object... arguments) {
    verbs.add(new Object[] {stream, language, verb, arguments});
    return verbs.size() - 1;
  }

  /** The number of the stream that a verb was added on; -1 for a source. */
  public int input(int verb) {
    return (int) verbs.get(verb)[0];
  }

  /** Starts the job and returns its handle, a Python actor. Stop it, or wait for its end, with {@link #execute}. */
  public PyActorHandle submit(String name) {
    PyActorHandle job =
        Ray.actor(PyActorClass.of(MODULE, "JavaJob"), name, verbs.toArray(), options.toArray())
            .remote();
    job.task(PyActorMethod.of("is_running", Boolean.class)).remote().get();
    return job;
  }

  /** Runs the job and returns when it has ended: true if no record was set aside. */
  public boolean execute(String name) {
    return submit(name).task(PyActorMethod.of("wait", Boolean.class)).remote().get();
  }
}

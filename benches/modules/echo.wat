;; A byte task that answers with its job, whatever that is.
(module
  (import "wpool" "job_size" (func $job_size (result i32)))
  (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
  (import "wpool" "result_write" (func $result_write (param i32 i32)))
  (memory (export "memory") 1)

  (func (export "task_echo") (result i32)
    (local $missing i32)
    ;; Pages of 64 KiB that the job needs and the memory does not have yet.
    (local.set $missing
      (i32.sub
        (i32.div_u (i32.add (call $job_size) (i32.const 65535)) (i32.const 65536))
        (memory.size)))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then (drop (memory.grow (local.get $missing)))))
    (call $result_write
      (i32.const 0)
      (call $job_read (i32.const 0) (i32.const 0) (call $job_size)))
    (i32.const 0)))

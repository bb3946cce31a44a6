/**
 * The layers of the images that tests pull, as shell scripts: each fills the directory `$1`. GNU tar packs them, so that what is compared
 * with is nobody's own idea of an archive. Paths that a later layer lacks are meant to be lacking (`implied/parent`).
 */
export interface LayerRecipe {
  what: string;
  script: string;
  /** An entry for each of these only; without it, for all. */
  only?: readonly string[];
}

export const UPPER_LAYERS: readonly LayerRecipe[] = [
  {
    what: 'every kind of entry',
    script: `
      mkdir -p "$1/kinds/sub" "$1/implied/parent" "$1/gone" "$1/hidden/deep" "$1/replaced"
      mkdir "$1/bin" && ln -s busybox "$1/bin/sh"
      cd "$1/kinds"
      echo content > file
      ln file hard
      ln file sub/hard
      ln -s file symlink
      ln -s /kinds/sub/../file absolute
      ln -s ../../../../etc/passwd climbing
      ln -s nothing dangling
      ln symlink hard-symlink
      mkfifo -m 0640 fifo
      mknod -m 0666 null c 1 3
      mknod -m 0644 tty c 5 0
      echo '#!/bin/sh' > setuid && chown 1000:1001 setuid && chmod 6755 setuid
      echo x > readonly && chmod 0000 readonly
      mkdir -m 1777 sticky && mkdir -m 2750 setgid && chown 7:8 setgid
      echo big-id > owner && chown 4000000000:3000000000 owner
      echo capable > capable && setcap cap_net_raw+ep capable
      echo attributes > xattrs && setfattr -n user.one -v 1 xattrs && setfattr -n user.bytes -v 0x00ff0a xattrs
      setfattr -n trusted.two -v 2 xattrs
      setfattr -n user.of.directory -v yes sub
      truncate -s 10M sparse && printf middle | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
      truncate -s 1M holes
      : > empty
      long=$(printf 'n%.0s' $(seq 200))
      mkdir -p "$long/$long" && echo long > "$long/$long/$long"
      ln -s "$long/$long/$long" long-link
      printf latin1 > "$(printf 'caf\\351')"
      printf control > "$(printf 'tab\\there')"
      printf 'line' > "$(printf 'new\\nline')"
      printf star > 'sp ace * ? [x] \\\\ "quoted"'
      echo utf8 > "$(printf '\\303\\244')"
      echo old > ancient && touch -d '1965-03-04 05:06:07.25Z' ancient
      echo new > nanoseconds && touch -d '2023-11-14 22:13:20.123456789Z' nanoseconds
      touch -h -d '2001-02-03 04:05:06.5Z' symlink
      echo 1 > ../gone/file && echo 1 > ../hidden/old && echo 1 > ../hidden/deep/old && echo 1 > ../replaced/old
      echo 1 > ../implied/parent/lower
      chmod 0711 ../implied && chown 12:34 ../implied && chmod 1770 ../implied/parent && chown 56:78 ../implied/parent
      setfattr -n user.kept -v lower ../implied/parent`,
  },
  {
    what: 'whiteouts and an opaque directory',
    script: `
      mkdir -p "$1/hidden" "$1/kinds" && cd "$1"
      : > .wh.gone
      : > kinds/.wh.hard
      : > kinds/.wh.fifo
      : > hidden/.wh..wh..opq && echo 2 > hidden/new
      : > .wh.replaced && mkdir replaced && echo 2 > replaced/new`,
  },
  {
    what: 'files whose directories only the lower layers describe, and changes of type',
    script: `
      mkdir -p "$1/implied/parent" "$1/kinds" && cd "$1"
      echo 3 > implied/parent/upper
      : > implied/parent/.wh.lower
      echo 3 > kinds/symlink
      mkdir kinds/file && echo 3 > kinds/file/below
      ln -s /kinds/sticky kinds/null
      echo changed > kinds/setuid`,
    only: [
      'implied/parent/upper',
      'implied/parent/.wh.lower',
      'kinds/symlink',
      'kinds/file',
      'kinds/null',
      'kinds/setuid',
    ],
  },
  {
    what: 'many small files',
    script: `
      mkdir -p "$1/many" && cd "$1/many"
      for directory in $(seq 20); do
        mkdir $directory
        for file in $(seq 50); do echo "$directory $file" > $directory/$file; done
      done`,
  },
];

/** Two runs make the same bytes: tar writes its process id beside sparse files, so it gets the id 1. */
export const PACK = `
  cd "$1" && shift && output=$1 && shift
  unshare --pid --fork tar --create --file "$output" --format=pax --numeric-owner --sort=name --sparse \\
    --xattrs --xattrs-include='*' --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime "$@"`;
